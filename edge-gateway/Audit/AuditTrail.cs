using System.Net;
using System.Threading.Channels;
using DicomServerless.EdgeGateway.Hosting;
using DicomServerless.EdgeGateway.Transactions;

namespace DicomServerless.EdgeGateway.Audit;

/// <summary>
/// Makes audit messages from transactions and logins and sends them to the repository. Nothing waits for it: 16,384 are held while the repository cannot be
/// reached, and further ones are counted as lost.
/// </summary>
internal sealed class AuditTrail(GatewayConfiguration configuration, TransactionLog transactions, TimeProvider time, ILogger<AuditTrail> log) : IHostedService,
    IDisposable
{
    private const int Capacity = 16_384;
    private static readonly TimeSpan LastMessages = TimeSpan.FromSeconds(2), LongestPause = TimeSpan.FromSeconds(30);

    private readonly Channel<AuditMessage> queue = Channel.CreateBounded<AuditMessage>(new BoundedChannelOptions(Capacity) { SingleReader = true });
    private readonly CancellationTokenSource stopping = new();
    private readonly AuditEvents events = new(configuration);
    private readonly Lock gate = new();
    private Task? sending;
    private long sent, lost;

    /// <summary>Messages sent since the start.</summary>
    public long Sent => Interlocked.Read(ref sent);

    /// <summary>Messages lost since the start.</summary>
    public long Lost => Interlocked.Read(ref lost);

    private AuditOptions Options => configuration.Current.Audit;

    /// <summary>Reports the start of the application (A.5.3.1), and listens to the transactions.</summary>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        Enqueue(events.Activity(AuditCode.ApplicationStart, time.GetUtcNow()));
        transactions.Recorded += OnRecorded;
        sending = SendAllAsync(stopping.Token);
        return Task.CompletedTask;
    }

    /// <summary>Reports the end of the application. Messages that wait have two seconds to be sent.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        transactions.Recorded -= OnRecorded;
        Enqueue(events.Activity(AuditCode.ApplicationStop, time.GetUtcNow()));
        queue.Writer.TryComplete();
        stopping.CancelAfter(LastMessages);
        if (sending is not null) await sending;
    }

    /// <summary>Records that a user logged in to the dashboard, or failed to.</summary>
    public void LoggedIn(string user, IPAddress? remote, bool isSuccess) => Enqueue(events.Login(AuditCode.Login, user, remote, isSuccess, time.GetUtcNow()));

    /// <summary>Records that a user logged out.</summary>
    public void LoggedOut(string user, IPAddress? remote) => Enqueue(events.Login(AuditCode.Logout, user, remote, true, time.GetUtcNow()));

    /// <inheritdoc />
    public void Dispose() => stopping.Dispose();

    private void OnRecorded(Transaction record)
    {
        if (!Options.Enabled) return;
        lock (gate)
        {
            foreach (var message in events.Of(record)) Enqueue(message);
        }
    }

    private void Enqueue(AuditMessage message)
    {
        if (Options.Enabled && !queue.Writer.TryWrite(message)) Interlocked.Increment(ref lost);
    }

    private async Task SendAllAsync(CancellationToken cancellationToken)
    {
        SyslogSender? sender = null;
        var pause = TimeSpan.Zero;
        try
        {
            while (await queue.Reader.WaitToReadAsync(cancellationToken))
            {
                // It leaves the queue only once it is sent.
                while (queue.Reader.TryPeek(out var message))
                {
                    var options = Options;
                    if (!options.Enabled)
                    {
                        queue.Reader.TryRead(out _);
                        continue;
                    }
                    if (sender is null || !sender.IsFor(options))
                    {
                        sender?.Dispose();
                        sender = new SyslogSender(options, time);
                    }
                    try
                    {
                        await sender.SendAsync(message.ToXml(options.SourceId.Length > 0 ? options.SourceId : Environment.MachineName, options.SiteId),
                            message.Time, cancellationToken);
                        queue.Reader.TryRead(out _);
                        Interlocked.Increment(ref sent);
                        pause = TimeSpan.Zero;
                    }
#pragma warning disable CA1031 // Whatever it was, the trail must not end: the message stays, and changed files or options may mend it.
                    catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
                    {
                        if (pause == TimeSpan.Zero) AuditLog.NotSent(log, options.Host, exception is IOException ? exception.Message : SafeText.Of(exception));
                        pause = pause == TimeSpan.Zero ? TimeSpan.FromSeconds(1) : TimeSpan.FromTicks(Math.Min(pause.Ticks * 2, LongestPause.Ticks));
                        await Task.Delay(pause, time, cancellationToken);
                    }
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The time for the last messages is over.
        }
        finally
        {
            sender?.Dispose();
        }
    }
}

/// <summary>What the audit trail logs. Event ids 5100 to 5109.</summary>
internal static partial class AuditLog
{
    [LoggerMessage(5100, LogLevel.Warning, "The audit record repository {Host} takes no messages; they are held and sent again: {Reason}")]
    public static partial void NotSent(ILogger log, string host, string reason);
}
