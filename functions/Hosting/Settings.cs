using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using DicomServerless.Archive;
using DicomServerless.Archive.Search;
using DicomServerless.Dicom;
using Microsoft.Extensions.Configuration;

namespace DicomServerless.Functions.Hosting;

/// <summary>Every option of the process, read and checked once at start.</summary>
/// <param name="Archive">Section Archive.</param>
/// <param name="Http">Section Http.</param>
/// <param name="Events">Section Events.</param>
/// <param name="IsUnderHost">Whether the Functions host runs the program; its triggers then take the place of our own polling and sweeping.</param>
/// <param name="Viewer">Section Viewer.</param>
/// <param name="Proxies">Networks whose X-Forwarded headers count.</param>
internal sealed partial record Settings(ArchiveOptions Archive, HttpOptions Http,
    EventOptions Events, ViewerOptions Viewer, bool IsUnderHost, IReadOnlyList<IPNetwork> Proxies)
{
    /// <summary>Reads the configuration. All that is wrong goes to the list, one clear line each.</summary>
    public static Settings Read(IConfiguration configuration, bool isUnderHost, List<string> problems)
    {
        var http = ReadHttp(configuration, problems, out var proxies);
        return new Settings(ReadArchive(configuration, problems), http,
            ReadEvents(configuration, problems), ReadViewer(configuration, problems), isUnderHost, proxies);
    }

    private static ArchiveOptions ReadArchive(IConfiguration configuration, List<string> problems)
    {
        var reader = new SettingsReader<ArchiveOptions>(configuration, "Archive", problems);
        var defaults = new ArchiveOptions();
        var limits = new SettingsReader<DicomLimits>(configuration, "Archive:Limits", problems);
        reader.Text("Limits", null);
        reader.Text("QueryTags", null);
        var options = new ArchiveOptions
        {
            FileMetaMismatch = reader.Choice("FileMetaMismatch", defaults.FileMetaMismatch),
            DuplicatePolicy = reader.Choice("DuplicatePolicy", defaults.DuplicatePolicy),
            SecondPatient = reader.Choice("SecondPatient", defaults.SecondPatient),
            OnStore = reader.Choice("OnStore", defaults.OnStore),
            JournalDueSeconds = reader.Number("JournalDueSeconds", defaults.JournalDueSeconds),
            KeepStudySeconds = reader.Number("KeepStudySeconds", defaults.KeepStudySeconds),
            TombstoneSeconds = reader.Number("TombstoneSeconds", defaults.TombstoneSeconds),
            DerivedGraceSeconds = reader.Number("DerivedGraceSeconds", defaults.DerivedGraceSeconds),
            BlockMiB = reader.Number("BlockMiB", defaults.BlockMiB),
            UploadMemoryMiB = reader.Number("UploadMemoryMiB", defaults.UploadMemoryMiB),
            BulkSpoolMiB = reader.Number("BulkSpoolMiB", defaults.BulkSpoolMiB),
            BulkSpoolPath = reader.Text("BulkSpoolPath", defaults.BulkSpoolPath),
            MaxPartsPerRequest = reader.Number("MaxPartsPerRequest", defaults.MaxPartsPerRequest),
            WritesPerRequest = reader.Number("WritesPerRequest", defaults.WritesPerRequest),
            ReadAhead = reader.Number("ReadAhead", defaults.ReadAhead),
            TrustOwnEvents = reader.Flag("TrustOwnEvents", defaults.TrustOwnEvents),
            MaxResults = reader.Number("MaxResults", defaults.MaxResults),
            QueryTags = QueryTagSettings.Read(configuration, problems),
            FallbackCharacterSet = reader.Text("FallbackCharacterSet", defaults.FallbackCharacterSet)!,
            Limits = new DicomLimits
            {
                MaxElementLength = limits.Number("MaxElementLength", defaults.Limits.MaxElementLength),
                MaxDepth = limits.Number("MaxDepth", defaults.Limits.MaxDepth),
                MaxElements = limits.Number("MaxElements", defaults.Limits.MaxElements),
                MaxHeaderBytes = limits.Number("MaxHeaderBytes", defaults.Limits.MaxHeaderBytes),
                MaxInflatedBytes = limits.Number("MaxInflatedBytes", defaults.Limits.MaxInflatedBytes),
                MaxInflateRatio = limits.Number("MaxInflateRatio", defaults.Limits.MaxInflateRatio),
                MaxFragments = limits.Number("MaxFragments", defaults.Limits.MaxFragments),
            },
        };
        if (!SpecificCharacterSet.IsDefined(options.FallbackCharacterSet))
            reader.Add("FallbackCharacterSet", "give a defined term of Specific Character Set (PS3.3 C.12.1.1.2), such as ISO_IR 100.");
        if (options.BulkSpoolPath is { } folder && ProblemOf(folder) is { } problem)
            reader.Add("BulkSpoolPath",
                $"no file can be made there ({problem}); give a folder that is there and that this program may write to, or remove it for the system's.");
        reader.RefuseUnknown();
        limits.RefuseUnknown();
        return options;
    }

    // Why no file can be made in a folder; null if it can. The file goes at once.
    private static string? ProblemOf(string folder)
    {
        try
        {
            File.Create(Path.Combine(folder, "bulk-" + Path.GetRandomFileName()), 1, FileOptions.DeleteOnClose).Dispose();
            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            return exception.Message;
        }
    }

    private static HttpOptions ReadHttp(IConfiguration configuration, List<string> problems, out IReadOnlyList<IPNetwork> proxies)
    {
        var reader = new SettingsReader<HttpOptions>(configuration, "Http", problems);
        var defaults = new HttpOptions();
        var options = new HttpOptions
        {
            Urls = reader.Text("Urls", defaults.Urls)!,
            PublicUrl = reader.Text("PublicUrl", null)?.TrimEnd('/'),
            PathBase = reader.Text("PathBase", "")!.TrimEnd('/'),
            TrustedProxies = reader.Text("TrustedProxies", "")!,
            MaxBodyBytes = reader.Number("MaxBodyBytes", defaults.MaxBodyBytes),
            MaxUrlBytes = reader.Number("MaxUrlBytes", defaults.MaxUrlBytes),
            MinBytesPerSecond = reader.Number("MinBytesPerSecond", defaults.MinBytesPerSecond),
            SlowSeconds = reader.Number("SlowSeconds", defaults.SlowSeconds),
            RefuseUnknownKeys = reader.Flag("RefuseUnknownKeys", defaults.RefuseUnknownKeys),
            MaxRequests = reader.Number("MaxRequests", defaults.MaxRequests),
            MaxWaitingRequests = reader.Number("MaxWaitingRequests", defaults.MaxWaitingRequests),
            CompressJson = reader.Flag("CompressJson", defaults.CompressJson),
            LogFormat = reader.Choice("LogFormat", defaults.LogFormat),
            StartWaitSeconds = reader.Number("StartWaitSeconds", defaults.StartWaitSeconds),
            CorsOrigins = reader.Text("CorsOrigins", "")!,
            CorsByPlatform = reader.Flag("CorsByPlatform", defaults.CorsByPlatform),
            CorsMaxAgeSeconds = reader.Number("CorsMaxAgeSeconds", defaults.CorsMaxAgeSeconds),
            CursorKey = ReadKey(reader),
        };
        foreach (var url in options.Urls.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            if (!url.StartsWith("http://", StringComparison.Ordinal))
                reader.Add("Urls", "give URLs with http://, such as http://0.0.0.0:8080; TLS is ended in front of this process.");
        if (options.PublicUrl is { } publicUrl && (!Uri.TryCreate(publicUrl, UriKind.Absolute, out var uri)
            || uri.Scheme is not ("http" or "https") || uri.Query.Length + uri.Fragment.Length > 0))
            reader.Add("PublicUrl", "give an absolute http or https URL without query, such as https://dicom.example.org/pacs.");
        if (options.PathBase.Length > 0 && options.PathBase[0] != '/') reader.Add("PathBase", "begin it with a slash, such as /pacs.");
        foreach (var origin in options.Origins)
            if (origin != "*" && !(Uri.TryCreate(origin, UriKind.Absolute, out var site)
                && site.Scheme is "http" or "https" && site.GetLeftPart(UriPartial.Authority) == origin))
                reader.Add("CorsOrigins",
                    "give origins such as https://viewer.example.org (scheme, host and port; no path, no slash at the end), with commas, or * for any.");
        if (options.CorsByPlatform && options.Origins.Length > 0)
            reader.Add("CorsByPlatform",
                "either the platform in front answers for CORS, or this program does for CorsOrigins: two answers are none for a browser. Remove one of them.");
        var networks = new List<IPNetwork>();
        foreach (var proxy in options.TrustedProxies.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (IPNetwork.TryParse(proxy, out var network)) networks.Add(network);
            else if (IPAddress.TryParse(proxy, out var address)) networks.Add(new IPNetwork(address, address.GetAddressBytes().Length * 8));
            else reader.Add("TrustedProxies", "give IP addresses or networks such as 10.0.0.0/8, with commas.");
        }
        proxies = networks;
        reader.RefuseUnknown();
        return options;
    }

    private static byte[]? ReadKey(SettingsReader<HttpOptions> reader)
    {
        if (reader.Text("CursorKey", null) is not { } text) return null;
        var key = new byte[SearchCursors.KeyBytes];
        if (Convert.TryFromBase64String(text, key, out var length) && length == key.Length) return key;
        reader.AddSecret("CursorKey", "give 32 bytes in base64, the same for every instance (openssl rand -base64 32), or remove it.");
        return null;
    }

    private static EventOptions ReadEvents(IConfiguration configuration, List<string> problems)
    {
        var reader = new SettingsReader<EventOptions>(configuration, "Events", problems);
        var defaults = new EventOptions();
        var options = new EventOptions
        {
            Queue = reader.Text("Queue", configuration["EVENTS_QUEUE"] is { Length: > 0 } queue ? queue : defaults.Queue)!,
            Poll = reader.Flag("Poll", defaults.Poll),
            PollSeconds = reader.Number("PollSeconds", defaults.PollSeconds),
            HideSeconds = reader.Number("HideSeconds", defaults.HideSeconds),
            SweepSeconds = reader.Number("SweepSeconds", defaults.SweepSeconds),
            MaxDequeueCount = reader.Number("MaxDequeueCount", defaults.MaxDequeueCount),
        };
        // "-poison" is put behind it, and a queue's name has 63 characters.
        if (options.Queue is not { Length: >= 3 and <= 56 } || !QueueName().IsMatch(options.Queue)) problems.Add(
            $"Events:Queue (or EVENTS_QUEUE) is \"{options.Queue}\": a queue's name has 3 to 56 lower-case letters, digits and single hyphens between them.");
        reader.RefuseUnknown();
        return options;
    }

    [GeneratedRegex("^[a-z0-9](-?[a-z0-9])+$")]
    private static partial Regex QueueName();

    private static ViewerOptions ReadViewer(IConfiguration configuration, List<string> problems)
    {
        var reader = new SettingsReader<ViewerOptions>(configuration, "Viewer", problems);
        var defaults = new ViewerOptions();
        var options = new ViewerOptions
        {
            Enabled = reader.Flag("Enabled", defaults.Enabled),
            Path = reader.Text("Path", defaults.Path)!,
            ConfigurationFile = reader.Text("ConfigurationFile", null),
        };
        if (options.ConfigurationFile is { } file && !File.Exists(file))
            reader.Add("ConfigurationFile", "there is no such file; give the path of a JavaScript file that sets window.config, or remove it for ours.");
        reader.RefuseUnknown();
        return options;
    }
}
