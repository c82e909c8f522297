using DicomServerless.Dicom.Network;

namespace DicomServerless.EdgeGateway.Query;

/// <summary>
/// Tells the peer of a C-MOVE or C-GET at times that the gateway is still at work (PS3.4 C.4.2.3.2): while the objects are looked for, and during each of them.
/// Peers leave after 30 to 60 seconds of silence.
/// </summary>
/// <param name="association">The association of the request.</param>
/// <param name="request">The request.</param>
/// <param name="interval">The longest silence.</param>
/// <param name="time">The clock.</param>
internal sealed class RetrieveProgress(Association association, DimseMessage request, TimeSpan interval, TimeProvider time)
{
    private long last = time.GetTimestamp();

    /// <summary>The counts of the moment; null before there are any.</summary>
    public Func<SubOperations>? Counts { get; set; }

    /// <summary>Whether it is time for another response.</summary>
    public bool IsDue => time.GetElapsedTime(last) >= interval;

    /// <summary>Sends a pending response.</summary>
    public async Task ReportAsync(CancellationToken cancellationToken)
    {
        last = time.GetTimestamp();
        await association.SendAsync(DimseCommand.Response(request.Command, DimseStatus.Pending, null, Counts?.Invoke()), request.Context, cancellationToken);
    }

    /// <summary>Waits for some work, and sends pending responses meanwhile. Not while the work sends on the association of the request itself.</summary>
    public async Task<T> WhileAsync<T>(Task<T> work)
    {
        // Mostly the next object is there already, and needs no timer.
        while (!work.IsCompleted)
        {
            using var stop = new CancellationTokenSource();
            var isDone = await Task.WhenAny(work, Task.Delay(interval, time, stop.Token)) == work;
            await stop.CancelAsync();
            if (isDone) break;
            try
            {
                await ReportAsync(CancellationToken.None);
            }
            catch (AssociationAbortedException)
            {
                break; // the work notices it too, and says so
            }
        }
        return await work;
    }
}
