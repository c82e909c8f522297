using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace DicomServerless.Shared;

/// <summary>How the host hands a trigger's value to a custom handler.</summary>
public enum InvocationValue
{
    /// <summary>A .NET string: its JSON text in a JSON string (queue trigger).</summary>
    Text,
    /// <summary>Bytes: base64 in a JSON string (queue trigger with dataType binary).</summary>
    Binary,
    /// <summary>An object: nested (Event Grid trigger, timer).</summary>
    Object,
}

/// <summary>
/// Does to a custom handler what the Azure Functions host does: starts the executable with the host's environment, polls <c>GET /</c>, proxies public requests
/// with its own headers (reading bodies with a Content-Length whole into memory first), posts triggers as JSON invocations, and kills without a warning.
/// </summary>
public sealed class FunctionsHost : IAsyncDisposable
{
    private const string Version = "4.1054.100.0";
    private const int ConnectAttempts = 10;
    private static readonly HashSet<string> HopByHop = new(StringComparer.OrdinalIgnoreCase) { "Connection",
        "Keep-Alive", "Proxy-Connection", "TE", "Transfer-Encoding", "Upgrade", "Host" };

    private readonly string executable;
    private readonly IReadOnlyDictionary<string, string> environment;
    private readonly long bodyLimit;
    private readonly StringBuilder output = new();
    private readonly HttpClient handler = new(new SocketsHttpHandler
        { AllowAutoRedirect = false, UseCookies = false, AutomaticDecompression = DecompressionMethods.None }) { Timeout = TimeSpan.FromMinutes(5) };
    private readonly WebApplication proxy;
    private Process? process;

    private FunctionsHost(string executable, IReadOnlyDictionary<string, string> environment, long bodyLimit)
    {
        (this.executable, this.environment, this.bodyLimit) = (executable, environment, bodyLimit);
        HandlerPort = FreePorts.Next();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = null);
        proxy = builder.Build();
        proxy.Urls.Add("http://127.0.0.1:0");
        proxy.Run(ProxyAsync);
    }

    /// <summary>Where clients reach the application.</summary>
    public string Url => proxy.Urls.Single();

    /// <summary>The handler's own port, which only the host knows.</summary>
    public int HandlerPort { get; }

    /// <summary>The handler's process.</summary>
    public int ProcessId => process!.Id;

    /// <summary>What the handler wrote.</summary>
    public string Output
    {
        get
        {
            lock (output) return output.ToString();
        }
    }

    /// <summary>Time from the start of the process to its first answer.</summary>
    public TimeSpan StartTime { get; private set; }

    /// <summary>Whether the process has ended, and how.</summary>
    public int? ExitCode => process is { HasExited: true } ? process.ExitCode : null;

    /// <summary>Starts the handler and waits until it answers.</summary>
    /// <param name="executable">The custom handler.</param>
    /// <param name="settings">The application settings.</param>
    /// <param name="bodyLimit">FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: above it the host answers 500. Bytes.</param>
    public static async Task<FunctionsHost> StartAsync(string executable, IReadOnlyDictionary<string, string> settings, long bodyLimit = 104_857_600)
    {
        var host = new FunctionsHost(executable, settings, bodyLimit);
        try
        {
            await host.proxy.StartAsync();
            await host.StartHandlerAsync();
            return host;
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts the handler again, after <see cref="Kill"/>.</summary>
    public async Task StartHandlerAsync()
    {
        var start = new ProcessStartInfo(executable)
            { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Path.GetDirectoryName(executable)! };
        var port = HandlerPort.ToString(CultureInfo.InvariantCulture);
        foreach (var name in (string[])["FUNCTIONS_CUSTOMHANDLER_PORT", "FUNCTIONS_HTTPWORKER_PORT"]) start.Environment[name] = port;
        start.Environment["FUNCTIONS_CUSTOMHANDLER_WORKER_ID"] = start.Environment["FUNCTIONS_HTTPWORKER_ID"] = Guid.NewGuid().ToString();
        start.Environment["FUNCTIONS_APP_ROOT_PATH"] = start.WorkingDirectory;
        foreach (var (name, value) in environment) start.Environment[name] = value;
        var watch = Stopwatch.StartNew();
        process = Process.Start(start)!;
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        // The host polls every 25 ms until anything answers, for 30 s.
        while (true)
        {
            try
            {
                using var answer = await handler.GetAsync($"http://127.0.0.1:{port}/");
                StartTime = watch.Elapsed;
                return;
            }
            catch (HttpRequestException) when (watch.Elapsed < TimeSpan.FromSeconds(30) && !process.HasExited)
            {
                await Task.Delay(25);
            }
            catch (HttpRequestException)
            {
                throw new InvalidOperationException($"The handler did not answer (exit code {ExitCode}):\n{Output}");
            }
        }
    }

    /// <summary>Ends the handler as the host does: SIGKILL.</summary>
    public void Kill()
    {
        process!.Kill();
        process.WaitForExit();
    }

    /// <summary>Calls a function that has no HTTP trigger, as the host does for one message.</summary>
    public async Task<(HttpStatusCode Status, string Body)> InvokeAsync(string function, string binding, string value, InvocationValue kind)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartObject("Data");
            if (kind == InvocationValue.Object)
            {
                json.WritePropertyName(binding);
                json.WriteRawValue(value);
            }
            else json.WriteString(binding, kind == InvocationValue.Text ? Quoted(value) : Convert.ToBase64String(Encoding.UTF8.GetBytes(value)));
            json.WriteEndObject();
            json.WriteStartObject("Metadata");
            json.WriteString("DequeueCount", "1");
            json.WriteString("Id", Quoted(Guid.NewGuid().ToString()));
            json.WriteStartObject("sys");
            json.WriteString("MethodName", function);
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteEndObject();
        }
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://127.0.0.1:{HandlerPort}/{function}")
            { Content = new ByteArrayContent(buffer.ToArray()) };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", "application/json; charset=utf-8");
        request.Headers.TryAddWithoutValidation("X-Azure-Functions-HostVersion", Version);
        request.Headers.TryAddWithoutValidation("X-Azure-Functions-InvocationId", Guid.NewGuid().ToString());
        request.Headers.TryAddWithoutValidation("User-Agent", $"Azure-Functions-Host/{Version}");
        using var response = await handler.SendAsync(request);
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    public async ValueTask DisposeAsync()
    {
        if (process is { HasExited: false }) Kill();
        process?.Dispose();
        await proxy.DisposeAsync();
        handler.Dispose();
        Privacy.Check("The handler's log", Output);
    }

    private static string Quoted(string text) => "\"" + JsonEncodedText.Encode(text) + "\"";

    private void Keep(string? line)
    {
        lock (output) output.AppendLine(line);
    }

    private async Task ProxyAsync(HttpContext context)
    {
        byte[]? whole = null;
        if (context.Request.ContentLength is > 0 and var length)
        {
            // The HTTP trigger's binding reads such a body as a string before anything is forwarded.
            if (length > bodyLimit)
            {
                context.Response.StatusCode = 500; // not 413
                return;
            }
            whole = new byte[length];
            await context.Request.Body.ReadExactlyAsync(whole, context.RequestAborted);
        }
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                using var request = Forward(context, whole);
                using var response = await handler.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, context.RequestAborted);
                await AnswerAsync(context, response);
                return;
            }
            catch (HttpRequestException exception) when (exception.InnerException is SocketException && attempt < ConnectAttempts)
            {
                await Task.Delay(Math.Min(50 << Math.Min(attempt - 1, 3), 250));
            }
            catch (Exception exception) when (exception is HttpRequestException or IOException)
            {
                if (context.Response.HasStarted) context.Abort();
                else context.Response.StatusCode = 500;
                return;
            }
        }
    }

    private HttpRequestMessage Forward(HttpContext context, byte[]? whole)
    {
        var source = context.Request;
        var request = new HttpRequestMessage(new HttpMethod(source.Method),
            $"http://127.0.0.1:{HandlerPort}{source.PathBase.ToUriComponent()}{source.Path.ToUriComponent()}{source.QueryString}");
        if (whole is not null) request.Content = new ByteArrayContent(whole);
        else if (source.Headers.TransferEncoding.Count > 0) request.Content = new StreamContent(source.Body);
        foreach (var (name, value) in source.Headers)
        {
            if (HopByHop.Contains(name)) continue;
            if (!request.Headers.TryAddWithoutValidation(name, value.AsEnumerable()))
                request.Content?.Headers.TryAddWithoutValidation(name, value.AsEnumerable());
        }
        var id = Guid.NewGuid().ToString();
        Set("X-Azure-Functions-HostVersion", Version);
        Set("X-Azure-Functions-InvocationId", id);
        Set("x-ms-invocation-id", id);
        Set("X-Forwarded-For", context.Connection.RemoteIpAddress!.ToString());
        Set("X-Forwarded-Proto", source.Scheme);
        Set("X-Forwarded-Host", source.Host.Value!);
        return request;

        void Set(string name, string value)
        {
            request.Headers.Remove(name);
            request.Headers.TryAddWithoutValidation(name, value);
        }
    }

    private static async Task AnswerAsync(HttpContext context, HttpResponseMessage response)
    {
        context.Response.StatusCode = (int)response.StatusCode;
        foreach (var (name, values) in response.Headers.Concat(response.Content.Headers))
            if (!HopByHop.Contains(name)) context.Response.Headers[name] = values.ToArray();
        await using var body = await response.Content.ReadAsStreamAsync(context.RequestAborted);
        var buffer = new byte[64 * 1024];
        for (int count; (count = await body.ReadAsync(buffer, context.RequestAborted)) > 0;)
        {
            await context.Response.Body.WriteAsync(buffer.AsMemory(0, count), context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
        }
    }
}
