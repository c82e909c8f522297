using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Yarp.ReverseProxy.Forwarder;

namespace DicomServerless.Shared.Worker;

/// <summary>
/// Does to a .NET isolated worker what the Azure Functions host does, and is as hard to it: starts it with the host's arguments and environment, speaks its
/// gRPC protocol, reads bodies with a Content-Length whole before anything is called, forwards requests while it invokes their function, answers 404 for
/// methods that no function lists and 500 for a failed invocation, starts a worker that died anew, cancels, and asks it to end or kills it without a warning.
/// </summary>
public sealed class WorkerHost : IAsyncDisposable
{
    private const string InvocationId = "x-ms-invocation-id";
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);

    private readonly string assembly;
    private readonly IReadOnlyDictionary<string, string> environment;
    private readonly long bodyLimit;
    private readonly StringBuilder output = new();
    private readonly WebApplication server;
    private readonly int grpcPort = FreePorts.Next();
    private readonly HttpMessageInvoker invoker = new(new ConnectAgain(new SocketsHttpHandler
        { UseProxy = false, AllowAutoRedirect = false, AutomaticDecompression = DecompressionMethods.None, UseCookies = false }));
    private Process? process;
    private bool isEnding, isDisposed;

    private WorkerHost(string assembly, IReadOnlyDictionary<string, string> environment, long bodyLimit)
    {
        (this.assembly, this.environment, this.bodyLimit) = (assembly, environment, bodyLimit);
        Channel = new WorkerChannel(AppFolder, Keep);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Listen(IPAddress.Loopback, grpcPort, listen => listen.Protocols = HttpProtocols.Http2);
            kestrel.Listen(IPAddress.Loopback, Port, listen => listen.Protocols = HttpProtocols.Http1);
        });
        builder.Services.AddGrpc(grpc => grpc.MaxReceiveMessageSize = grpc.MaxSendMessageSize = int.MaxValue);
        builder.Services.AddHttpForwarder();
        builder.Services.AddSingleton(this);
        server = builder.Build();
        server.MapGrpcService<FunctionRpcService>().RequireHost($"*:{grpcPort}");
        server.Map("/{**path}", (HttpContext context, IHttpForwarder forwarder) => AnswerAsync(context, forwarder)).RequireHost($"*:{Port}");
    }

    /// <summary>Where clients reach the application.</summary>
    public string Url => $"http://127.0.0.1:{Port}";

    /// <summary>Time from the start of the worker to its readiness.</summary>
    public TimeSpan StartTime { get; private set; }

    /// <summary>The worker's process.</summary>
    public int ProcessId => process!.Id;

    /// <summary>The worker's exit code; null while it runs.</summary>
    public int? ExitCode => process is { HasExited: true } ? process.ExitCode : null;

    /// <summary>The functions that the worker has, and what they are bound to.</summary>
    public IReadOnlyDictionary<string, string> Functions =>
        Channel.Functions.ToDictionary(function => function.Name, function => string.Join(' ', function.RawBindings));

    /// <summary>What the worker logged and wrote.</summary>
    public string Output
    {
        get
        {
            lock (output) return output.ToString();
        }
    }

    internal WorkerChannel Channel { get; private set; }

    private int Port { get; } = FreePorts.Next();

    private string AppFolder => Path.GetDirectoryName(assembly)!;

    /// <summary>Starts a worker and waits until its functions are loaded.</summary>
    /// <param name="assembly">The worker's assembly, with host.json beside it.</param>
    /// <param name="settings">The application settings.</param>
    /// <param name="bodyLimit">FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: above it the host answers 500. Bytes.</param>
    public static async Task<WorkerHost> StartAsync(string assembly, IReadOnlyDictionary<string, string> settings, long bodyLimit = 104_857_600)
    {
        var host = new WorkerHost(assembly, settings, bodyLimit);
        try
        {
            await host.server.StartAsync();
            await host.StartWorkerAsync();
            return host;
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    /// <summary>Kills the worker, as the platform does without a warning. The host starts a new one.</summary>
    public async Task KillAsync()
    {
        var killed = process!;
        killed.Kill();
        await killed.WaitForExitAsync();
    }

    /// <summary>Asks the worker to end, and gives its exit code.</summary>
    public async Task<int> TerminateAsync(TimeSpan grace)
    {
        isEnding = true;
        Channel.Terminate(grace);
        await process!.WaitForExitAsync().WaitAsync(grace + StartTimeout);
        return process.ExitCode;
    }

    /// <summary>The host's ping over the protocol.</summary>
    public Task PingAsync() => Channel.PingAsync();

    /// <summary>Calls a function that has no HTTP trigger. Null if it succeeded, else what it says.</summary>
    public async Task<string?> InvokeAsync(string function, string value)
    {
        await Channel.Ready.WaitAsync(StartTimeout);
        var called = Channel.Functions.Single(found => found.Name == function);
        using var binding = JsonDocument.Parse(called.RawBindings[0]);
        var data = binding.RootElement.GetProperty("type").GetString() is "queueTrigger" ? new TypedData { String = value } : new TypedData { Json = value };
        var request = new InvocationRequest { InvocationId = Guid.NewGuid().ToString(), FunctionId = called.FunctionId, TraceContext = new RpcTraceContext() };
        request.InputData.Add(new ParameterBinding { Name = binding.RootElement.GetProperty("name").GetString()!, Data = data });
        foreach (var (name, json) in new[] { ("DequeueCount", "1"), ("Id", "\"1\""), ("PopReceipt", "\"1\"") })
            request.TriggerMetadata[name] = new TypedData { Json = json };
        var response = await Channel.InvokeAsync(request);
        return response.Result.Status == StatusResult.Types.Status.Success ? null : response.Result.Exception?.Message ?? "failed";
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (isDisposed) return;
        isDisposed = isEnding = true;
        if (process is { HasExited: false })
        {
            process.Kill();
            await process.WaitForExitAsync();
        }
        Channel.Close();
        await server.DisposeAsync();
        invoker.Dispose();
        process?.Dispose();
        Privacy.Check("The worker's log", Output);
    }

    private async Task StartWorkerAsync()
    {
        var (worker, request, uri) = (Guid.NewGuid().ToString(), Guid.NewGuid().ToString(), $"http://127.0.0.1:{grpcPort}");
        var (port, limit) = (grpcPort.ToString(CultureInfo.InvariantCulture), int.MaxValue.ToString(CultureInfo.InvariantCulture));
        // A self-contained worker is its own program; worker.config.json says which.
        var program = File.Exists(Path.ChangeExtension(assembly, ".runtimeconfig.json")) && !File.Exists(Path.Combine(AppFolder, "libcoreclr.so")) ? "dotnet"
            : Path.ChangeExtension(assembly, null);
        string[] arguments =
        [
            "--host", "127.0.0.1", "--port", port, "--workerId", worker, "--requestId", request, "--grpcMaxMessageLength", limit, "--functions-uri", uri,
            "--functions-worker-id", worker, "--functions-request-id", request, "--functions-grpc-max-message-length", limit,
        ];
        var start = new ProcessStartInfo(program, program == "dotnet" ? [assembly, .. arguments] : arguments)
            { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = AppFolder };
        start.Environment["FUNCTIONS_WORKER_DIRECTORY"] = start.Environment["FUNCTIONS_APPLICATION_DIRECTORY"] = AppFolder;
        start.Environment["FUNCTIONS_WORKER_RUNTIME"] = "dotnet-isolated";
        foreach (var (name, value) in environment) start.Environment[name] = value;
        var watch = Stopwatch.StartNew();
        var started = new Process { StartInfo = start, EnableRaisingEvents = true };
        started.OutputDataReceived += (_, line) => Keep(line.Data);
        started.ErrorDataReceived += (_, line) => Keep(line.Data);
        var channel = Channel;
        started.Exited += (_, _) => OnExit(started, channel);
        process = started;
        started.Start();
        started.BeginOutputReadLine();
        started.BeginErrorReadLine();
        try
        {
            await channel.Ready.WaitAsync(StartTimeout);
            StartTime = watch.Elapsed;
        }
        catch (Exception exception) when (exception is IOException or TimeoutException or InvalidOperationException)
        {
            throw new InvalidOperationException($"The worker did not become ready ({exception.Message}; exit code {ExitCode}):\n{Output}", exception);
        }
    }

    private void OnExit(Process ended, WorkerChannel channel)
    {
        channel.Close();
        // The host leaves a worker alone that ended well.
        if (isEnding || ended.ExitCode == 0 || !channel.Ready.IsCompletedSuccessfully) return;
        Channel = new WorkerChannel(AppFolder, Keep);
        _ = StartWorkerAsync();
    }

    private void Keep(string? line)
    {
        lock (output) output.AppendLine(line);
    }

    private async Task AnswerAsync(HttpContext context, IHttpForwarder forwarder)
    {
        var path = context.Request.Path;
        if (path.StartsWithSegments("/admin") || path.StartsWithSegments("/runtime"))
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }
        if (!await BufferAsync(context)) return;
        var channel = Channel;
        await channel.Ready.WaitAsync(StartTimeout);
        if (FunctionOf(channel, context.Request.Method) is not { } function)
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }
        var id = Guid.NewGuid().ToString();
        using var leaving = context.RequestAborted.Register(() => channel.Cancel(id));
        var forwarding = forwarder.SendAsync(context, channel.HttpUri, invoker, new ForwarderRequestConfig { ActivityTimeout = TimeSpan.FromMinutes(4) },
            new InvocationTransformer(id)).AsTask();
        var request = new InvocationRequest
        {
            InvocationId = id, FunctionId = function.Metadata.FunctionId,
            TraceContext = new RpcTraceContext { TraceParent = context.Request.Headers.TraceParent.ToString() },
        };
        request.InputData.Add(new ParameterBinding { Name = function.Parameter, Data = new TypedData { Http = new RpcHttp() } });
        var isDone = false;
        try
        {
            var result = (await channel.InvokeAsync(request)).Result;
            isDone = result.Status == StatusResult.Types.Status.Success;
            if (!isDone) Keep($"Invocation failed: {result.Exception?.Message} {result.Exception?.StackTrace}");
        }
        catch (IOException)
        {
            // The worker is gone, and with it the connection.
        }
        if (await forwarding is not ForwarderError.None and var error)
            Keep($"Forwarding failed: {error} {context.GetForwarderErrorFeature()?.Exception?.GetType().Name}");
        else if (isDone) return;
        if (context.Response.HasStarted) context.Abort();
        else context.Response.StatusCode = StatusCodes.Status500InternalServerError;
    }

    // The HTTP trigger's binding reads a body of known length as a string before anything is called.
    private async Task<bool> BufferAsync(HttpContext context)
    {
        if (context.Request.ContentLength is not (> 0 and var length)) return true;
        if (length > bodyLimit)
        {
            context.Response.StatusCode = StatusCodes.Status500InternalServerError; // not 413
            return false;
        }
        var whole = new byte[length];
        await context.Request.Body.ReadExactlyAsync(whole, context.RequestAborted);
        context.Request.Body = new MemoryStream(whole);
        return true;
    }

    private static (RpcFunctionMetadata Metadata, string Parameter)? FunctionOf(WorkerChannel channel, string method)
    {
        foreach (var function in channel.Functions)
        {
            foreach (var text in function.RawBindings)
            {
                using var binding = JsonDocument.Parse(text);
                if (binding.RootElement.GetProperty("type").GetString() != "httpTrigger") continue;
                var methods = binding.RootElement.GetProperty("methods").EnumerateArray().Select(listed => listed.GetString());
                if (methods.Contains(method, StringComparer.OrdinalIgnoreCase))
                    return (function, binding.RootElement.GetProperty("name").GetString()!);
            }
        }
        return null;
    }

    // A worker says where it listens before it does; the host tries so often.
    private sealed class ConnectAgain(HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        private const int Attempts = 10;

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            for (var attempt = 1; ; attempt++)
            {
                try
                {
                    return await base.SendAsync(request, cancellationToken);
                }
                catch (HttpRequestException exception) when (exception.InnerException is SocketException && attempt < Attempts)
                {
                    await Task.Delay(Math.Min(50 << Math.Min(attempt - 1, 3), 250), cancellationToken);
                }
            }
        }
    }

    // Sets what the host sets; what a client sent under these names is gone.
    private sealed class InvocationTransformer(string id) : HttpTransformer
    {
        public override async ValueTask TransformRequestAsync(HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix,
            CancellationToken cancellationToken)
        {
            await base.TransformRequestAsync(httpContext, proxyRequest, destinationPrefix, cancellationToken);
            proxyRequest.Headers.Host = null;
            foreach (var (name, value) in new[]
            {
                (InvocationId, id), ("X-Forwarded-For", httpContext.Connection.RemoteIpAddress!.ToString()), ("X-Forwarded-Proto", httpContext.Request.Scheme),
                ("X-Forwarded-Host", httpContext.Request.Host.Value!),
            })
            {
                proxyRequest.Headers.Remove(name);
                proxyRequest.Headers.TryAddWithoutValidation(name, value);
            }
        }
    }
}
