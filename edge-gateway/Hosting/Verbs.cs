using System.Net;
using System.Net.Security;
using DicomServerless.EdgeGateway.Dashboard;
using DicomServerless.EdgeGateway.Spooling;

namespace DicomServerless.EdgeGateway.Hosting;

/// <summary>The verbs of the command line: what the program does besides running.</summary>
internal static class Verbs
{
    private const int LongestPassword = 1_024;

    private const string Usage = """
        DicomServerless.EdgeGateway [--Gateway:Section:Key=value ...]   runs the gateway
        DicomServerless.EdgeGateway health                              asks the running gateway of this machine whether it is ready; exit code 0 or 1
        DicomServerless.EdgeGateway hash-password                       reads a password from its input and prints it as Gateway:Http:PasswordHash wants it
        DicomServerless.EdgeGateway help                                this page

        Settings come from appsettings.json beside the program, then from the file that GATEWAY_CONFIG names (default
        /etc/dicom-gateway/appsettings.json), then from environment variables such as Gateway__Dimse__Port=104, then from the command line.
        Dashboard, API, /metrics and /health are at Gateway:Http:Url, which is http://127.0.0.1:8042 unless set.
        """;

    /// <summary>Runs the verb that the command line begins with.</summary>
    /// <returns>The exit code; null if there is no verb and the gateway is to run.</returns>
    public static async Task<int?> RunAsync(string[] args) => args is [var verb, ..] ? verb switch
    {
        "health" => await HealthAsync(args[1..]),
        "hash-password" => await HashPasswordAsync(),
        "help" or "--help" or "-h" => await PrintAsync(Console.Out, 0),
        _ when !verb.StartsWith('-') && !verb.Contains('=', StringComparison.Ordinal) => await PrintAsync(Console.Error, 2),
        _ => null,
    } : null;

    private static async Task<int> PrintAsync(TextWriter output, int code)
    {
        await output.WriteLineAsync(Usage);
        return code;
    }

    private static async Task<int> HashPasswordAsync()
    {
        if (!Console.IsInputRedirected) await Console.Error.WriteLineAsync("The password, then Enter:");
        if (await Console.In.ReadLineAsync() is not { Length: > 0 and <= LongestPassword } password)
        {
            await Console.Error.WriteLineAsync($"Give the password as one line of input, 1 to {LongestPassword} characters.");
            return 1;
        }
        await Console.Out.WriteLineAsync(PasswordHash.Create(password));
        return 0;
    }

    // The running gateway is asked where it says that it listens, and where the configuration does if nobody answers there.
    private static async Task<int> HealthAsync(string[] args)
    {
        var problems = new List<string>();
        var settings = GatewayConfiguration.ReadableSources(args, AppContext.BaseDirectory, problems);
        string?[] urls = [RunningUrl.Read(Set("Gateway:Spool:Path") ?? new SpoolOptions().Path), Set("Gateway:Http:Url") ?? new HttpOptions().Url];
        foreach (var url in urls.OfType<string>().Distinct())
        {
            try
            {
                var ready = Reachable(url);
                // It asks itself: the certificate names the machine, not the loopback address.
                using var handler = new SocketsHttpHandler { UseProxy = false,
                    SslOptions = { RemoteCertificateValidationCallback = (_, _, _, errors) => ready.IsLoopback || errors == SslPolicyErrors.None } };
                using var client = new HttpClient(handler) { Timeout = TimeSpan.FromSeconds(4) };
                using var response = await client.GetAsync(ready);
                await Console.Out.WriteAsync(await response.Content.ReadAsStringAsync());
                return response.StatusCode == HttpStatusCode.OK ? 0 : 1;
            }
            catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException or UriFormatException or NotSupportedException)
            {
                problems.Add($"{url} does not answer: {exception.Message}");
            }
        }
        foreach (var problem in problems) await Console.Error.WriteLineAsync("not ready: " + problem);
        return 1;

        string? Set(string key) => settings[key] is { Length: > 0 } set ? set : null;
    }

    /// <summary>The readiness URL for what may be an address to listen on only.</summary>
    internal static Uri Reachable(string url)
    {
        var builder = new UriBuilder(url.Replace("//*", "//127.0.0.1", StringComparison.Ordinal).Replace("//+", "//127.0.0.1",
            StringComparison.Ordinal)) { Path = "/health/ready" };
        if (builder.Host == "0.0.0.0") builder.Host = "127.0.0.1";
        if (builder.Host is "[::]" or "::") builder.Host = "[::1]";
        return builder.Uri;
    }
}
