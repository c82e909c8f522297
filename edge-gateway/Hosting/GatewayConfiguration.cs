using System.Security.Cryptography;

namespace DicomServerless.EdgeGateway.Hosting;

/// <summary>
/// The configuration in use, from appsettings.json beside the program, the file that <c>GATEWAY_CONFIG</c> names (default
/// <c>/etc/dicom-gateway/appsettings.json</c>, if it is there), environment variables and the command line, later ones over earlier ones. The files are read
/// again when they change: a good change takes effect at once, a bad one is refused with the reason and the old one stays.
/// </summary>
internal sealed class GatewayConfiguration
{
    private const string DefaultFile = "/etc/dicom-gateway/appsettings.json";

    private readonly string[] args;
    private readonly string contentRoot;
    private string seen;

    private GatewayConfiguration(string[] args, string contentRoot, GatewayOptions current, string seen) =>
        (this.args, this.contentRoot, Current, this.seen) = (args, contentRoot, current, seen);

    /// <summary>The options in use.</summary>
    public GatewayOptions Current { get; private set; }

    /// <summary>Why the last change was refused; empty if it was not.</summary>
    public IReadOnlyList<string> RefusedChange { get; private set; } = [];

    /// <summary>
    /// The parts of the program that have to open or build something for a change: ports, connections. Each is given the new options before they come into use,
    /// and gives the reasons why it cannot work with them, having changed nothing then; empty if it can.
    /// </summary>
    public ConfigurationUsers Users { get; } = new();

    /// <summary>Loads it for the first time. Null if it has problems.</summary>
    public static GatewayConfiguration? Load(string[] args, string contentRoot, List<string> problems)
    {
        var seen = Fingerprint(contentRoot);
        var options = Read(args, contentRoot, problems);
        return problems.Count > 0 || options is null ? null : new GatewayConfiguration(args, contentRoot, options, seen);
    }

    /// <summary>
    /// Looks whether the files have changed and brings the change into use. False when there is a change and it is refused: then the old options are in use
    /// everywhere. Not for several callers at a time.
    /// </summary>
    public async Task<bool> ReloadAsync()
    {
        var now = Fingerprint(contentRoot);
        if (now == seen) return RefusedChange.Count == 0;
        seen = now;
        var problems = new List<string>();
        var options = Read(args, contentRoot, problems);
        if (options is not null) problems.AddRange(NeedsRestart(options));
        if (problems.Count == 0) problems.AddRange(await Users.ApplyAsync(Current, options!));
        RefusedChange = problems;
        if (problems.Count > 0) return false;
        Current = options!;
        return true;
    }

    /// <summary>The configuration as .NET sees it, for what is not an option of the gateway: logging, OpenTelemetry.</summary>
    public static IConfigurationRoot Sources(string[] args, string contentRoot)
    {
        var builder = new ConfigurationBuilder();
        foreach (var source in SeparateSources(args, contentRoot)) builder.AddConfiguration(source);
        return builder.Build();
    }

    /// <summary>What of it can be read: for who has to go on with a configuration that is bad.</summary>
    /// <param name="args">The command line.</param>
    /// <param name="contentRoot">The program's folder.</param>
    /// <param name="problems">Gets what cannot be read, and why.</param>
    public static IConfigurationRoot ReadableSources(string[] args, string contentRoot, List<string> problems)
    {
        var builder = new ConfigurationBuilder();
        foreach (var source in Builders(args, contentRoot))
        {
            try
            {
                builder.AddConfiguration(source.Build());
            }
            catch (Exception exception) when (IsUnreadable(exception))
            {
                problems.Add(ProblemOf(exception));
            }
        }
        return builder.Build();
    }

    private static List<IConfiguration> SeparateSources(string[] args, string contentRoot) =>
        [.. Builders(args, contentRoot).Select(source => source.Build())];

    private static IConfigurationBuilder[] Builders(string[] args, string contentRoot) =>
    [
        .. Files(contentRoot).Select(file => new ConfigurationBuilder().AddJsonFile(file, optional: file != ExplicitFile, reloadOnChange: false)),
        new ConfigurationBuilder().AddEnvironmentVariables(), new ConfigurationBuilder().AddCommandLine(args),
    ];

    private static bool IsUnreadable(Exception exception) =>
        exception is IOException or InvalidDataException or FormatException or UnauthorizedAccessException;

    private static string ProblemOf(Exception exception) =>
        $"The configuration cannot be read: {exception.Message}{(exception.InnerException is { } inner ? " " + inner.Message : "")}";

    private static string? ExplicitFile => Environment.GetEnvironmentVariable("GATEWAY_CONFIG") is { Length: > 0 } path ? Path.GetFullPath(path) : null;

    private static string[] Files(string contentRoot) => [Path.Combine(contentRoot, "appsettings.json"), ExplicitFile ?? DefaultFile];

    private static GatewayOptions? Read(string[] args, string contentRoot, List<string> problems)
    {
        List<IConfiguration> sources;
        try
        {
            sources = SeparateSources(args, contentRoot);
        }
        catch (Exception exception) when (IsUnreadable(exception))
        {
            problems.Add(ProblemOf(exception));
            return null;
        }
        var options = new GatewayOptions();
        new OptionsBinder(sources, problems).Bind("Gateway", options);
        if (options.Aes.Count == 0) options.Aes["DICOMGW"] = new AeOptions();
        problems.AddRange(options.Problems());
        return options;
    }

    // What is bound to open files and sockets of the whole life.
    private IEnumerable<string> NeedsRestart(GatewayOptions next)
    {
        if (next.Spool.Path != Current.Spool.Path)
            yield return $"Gateway:Spool:Path is \"{next.Spool.Path}\": it changes only with a restart; restart, or set it back to \"{Current.Spool.Path}\".";
        if (next.Spool.Fsync != Current.Spool.Fsync)
            yield return $"Gateway:Spool:Fsync is \"{next.Spool.Fsync}\": it changes only with a restart; restart, or set it back to "
                + $"\"{Current.Spool.Fsync}\".";
        if (next.Dimse.Address != Current.Dimse.Address
            && (IsSamePort(next.Dimse.Port, Current.Dimse.Port) || IsSamePort(next.Dimse.Tls.Port, Current.Dimse.Tls.Port)))
            yield return $"Gateway:Dimse:Address is \"{next.Dimse.Address}\": on the same port it changes only with a restart; restart, or set it back to "
                + $"\"{Current.Dimse.Address}\".";
        if (next.LogFormat != Current.LogFormat)
            yield return $"Gateway:LogFormat is \"{next.LogFormat}\": it changes only with a restart; restart, or set it back to \"{Current.LogFormat}\".";
        if (!next.Http.TrustedProxies.SequenceEqual(Current.Http.TrustedProxies))
            yield return "Gateway:Http:TrustedProxies changes only with a restart; restart, or set it back.";
        if (next.Http.Url != Current.Http.Url)
            yield return $"Gateway:Http:Url is \"{next.Http.Url}\": it changes only with a restart; restart, or set it back to \"{Current.Http.Url}\".";
    }

    // 0 is none.
    private static bool IsSamePort(int next, int current) => next == current && next != 0;

    // By content: mounted files and links that are switched have times of their own.
    private static string Fingerprint(string contentRoot)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var file in Files(contentRoot))
        {
            try
            {
                hash.AppendData(File.ReadAllBytes(file));
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                hash.AppendData([0]); // not there
            }
        }
        return Convert.ToHexString(hash.GetHashAndReset());
    }
}
