using System.Collections.Concurrent;
using System.Threading.Channels;
using Grpc.Core;

namespace DicomServerless.Shared.Worker;

/// <summary>The stream of messages with one worker process, from its start to its end.</summary>
internal sealed class WorkerChannel(string appFolder, Action<string> onLog)
{
    private readonly Channel<StreamingMessage> outgoing = Channel.CreateUnbounded<StreamingMessage>();
    private readonly ConcurrentDictionary<string, TaskCompletionSource<InvocationResponse>> invocations = [];
    private readonly TaskCompletionSource ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource statusAnswered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int unloaded;

    /// <summary>Where the worker takes requests.</summary>
    public string HttpUri { get; private set; } = "";

    /// <summary>What the worker can do, as it says.</summary>
    public IReadOnlyDictionary<string, string> Capabilities { get; private set; } = new Dictionary<string, string>();

    /// <summary>The functions that it has.</summary>
    public IReadOnlyList<RpcFunctionMetadata> Functions { get; private set; } = [];

    /// <summary>Done when every function is loaded; failed if that is not to be.</summary>
    public Task Ready => ready.Task;

    public async Task ServeAsync(IAsyncStreamReader<StreamingMessage> incoming, IServerStreamWriter<StreamingMessage> writer,
        CancellationToken cancellationToken)
    {
        var sending = SendAsync(writer, cancellationToken);
        try
        {
            while (await incoming.MoveNext(cancellationToken)) Take(incoming.Current);
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException or Grpc.Core.RpcException)
        {
            // The worker is gone.
        }
        finally
        {
            Close();
            await sending;
        }
    }

    /// <summary>Calls a function and waits for its answer.</summary>
    public async Task<InvocationResponse> InvokeAsync(InvocationRequest request)
    {
        var answered = new TaskCompletionSource<InvocationResponse>(TaskCreationOptions.RunContinuationsAsynchronously);
        invocations[request.InvocationId] = answered;
        Send(new StreamingMessage { InvocationRequest = request });
        return await answered.Task;
    }

    /// <summary>Tells the worker that nobody waits for an invocation any more.</summary>
    public void Cancel(string invocationId) => Send(new StreamingMessage { InvocationCancel = new InvocationCancel { InvocationId = invocationId } });

    /// <summary>Asks the worker to end within a time.</summary>
    public void Terminate(TimeSpan grace) => Send(new StreamingMessage
        { WorkerTerminate = new WorkerTerminate { GracePeriod = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(grace) } });

    /// <summary>The host's ping.</summary>
    public Task PingAsync()
    {
        Send(new StreamingMessage { WorkerStatusRequest = new WorkerStatusRequest() });
        return statusAnswered.Task;
    }

    /// <summary>The worker is gone: whoever waits for it is told.</summary>
    public void Close()
    {
        outgoing.Writer.TryComplete();
        ready.TrySetException(new IOException("The worker ended before it was ready."));
        foreach (var invocation in invocations.Values) invocation.TrySetException(new IOException("The worker ended."));
    }

    private void Send(StreamingMessage message)
    {
        message.RequestId = Guid.NewGuid().ToString();
        outgoing.Writer.TryWrite(message);
    }

    private async Task SendAsync(IServerStreamWriter<StreamingMessage> writer, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var message in outgoing.Reader.ReadAllAsync(cancellationToken)) await writer.WriteAsync(message, cancellationToken);
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException or InvalidOperationException or Grpc.Core.RpcException)
        {
            // The worker is gone.
        }
    }

    private void Take(StreamingMessage message)
    {
        switch (message.ContentCase)
        {
            case StreamingMessage.ContentOneofCase.StartStream:
                Send(new StreamingMessage
                {
                    WorkerInitRequest = new WorkerInitRequest { HostVersion = "4.1054.100", WorkerDirectory = appFolder, FunctionAppDirectory = appFolder },
                });
                break;
            case StreamingMessage.ContentOneofCase.WorkerInitResponse:
                Capabilities = message.WorkerInitResponse.Capabilities.ToDictionary();
                HttpUri = Capabilities.GetValueOrDefault("HttpUri", "");
                Send(new StreamingMessage { FunctionsMetadataRequest = new FunctionsMetadataRequest { FunctionAppDirectory = appFolder } });
                break;
            case StreamingMessage.ContentOneofCase.FunctionMetadataResponse:
                Functions = [.. message.FunctionMetadataResponse.FunctionMetadataResults];
                unloaded = Functions.Count;
                foreach (var function in Functions)
                    Send(new StreamingMessage { FunctionLoadRequest = new FunctionLoadRequest { FunctionId = function.FunctionId, Metadata = function } });
                break;
            case StreamingMessage.ContentOneofCase.FunctionLoadResponse:
                if (message.FunctionLoadResponse.Result.Status != StatusResult.Types.Status.Success)
                    ready.TrySetException(new InvalidOperationException(message.FunctionLoadResponse.Result.Exception?.Message));
                if (--unloaded == 0) ready.TrySetResult();
                break;
            case StreamingMessage.ContentOneofCase.InvocationResponse:
                if (invocations.TryRemove(message.InvocationResponse.InvocationId, out var answered)) answered.TrySetResult(message.InvocationResponse);
                break;
            case StreamingMessage.ContentOneofCase.WorkerStatusResponse:
                statusAnswered.TrySetResult();
                break;
            case StreamingMessage.ContentOneofCase.RpcLog:
                onLog(message.RpcLog.Message + message.RpcLog.Exception?.Message);
                break;
        }
    }
}

/// <summary>The service that a worker connects to.</summary>
internal sealed class FunctionRpcService(WorkerHost host) : FunctionRpc.FunctionRpcBase
{
    public override Task EventStream(IAsyncStreamReader<StreamingMessage> requestStream, IServerStreamWriter<StreamingMessage> responseStream,
        ServerCallContext context) => host.Channel.ServeAsync(requestStream, responseStream, context.CancellationToken);
}
