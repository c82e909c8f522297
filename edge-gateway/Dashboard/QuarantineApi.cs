using System.Globalization;
using DicomServerless.EdgeGateway.Hosting;
using DicomServerless.EdgeGateway.Spooling;
using DicomServerless.EdgeGateway.Transactions;
using Microsoft.AspNetCore.Http.Features;

namespace DicomServerless.EdgeGateway.Dashboard;

/// <summary>
/// The quarantine for operators: <c>/api/quarantine</c> and below. Every access to an object leaves a transaction and, where they are wanted, an audit message.
/// </summary>
internal sealed class QuarantineApi(Spool spool, OperatorRecords records, GatewayConfiguration configuration)
{
    private const int DefaultLimit = 500, MaxLimit = 10_000;

    /// <summary><c>GET /api/quarantine?destination&amp;limit</c>.</summary>
    public IResult List(HttpRequest request)
    {
        var limit = DefaultLimit;
        if (request.Query["limit"] is [{ Length: > 0 } text]
            && (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out limit) || limit is < 1 or > MaxLimit))
            return Answers.Wrong("limit", $"Give a number from 1 to {MaxLimit}.");
        var destination = request.Query["destination"] is [{ Length: > 0 } name] ? name : null;
        if (destination is not null && !SpoolName.IsDestination(destination)) return Answers.Wrong("destination", "Give the name of a destination.");
        var page = spool.Quarantine.List(destination, limit);
        return Answers.Ok(new QuarantineList([.. page.Items.Select(Item)], page.Total), ApiJson.Default.QuarantineList);
    }

    /// <summary><c>GET /api/quarantine/{destination}/{id}</c>: the reason.</summary>
    public IResult Get(string destination, string id) =>
        Find(destination, id, out var refusal) is { } item ? Answers.Ok(Item(item), ApiJson.Default.QuarantineItem) : refusal!;

    /// <summary><c>GET …/file</c>: the object as it came, a Part 10 file.</summary>
    public IResult File(HttpContext http, string destination, string id)
    {
        if (Find(destination, id, out var refusal) is not { } item) return refusal!;
        try
        {
            var file = new FileStream(item.Path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 1 << 16,
                FileOptions.Asynchronous | FileOptions.SequentialScan);
            records.Record(http, OperatorAction.Download, item, isSuccess: true);
            return Results.Stream(file, "application/dicom", $"{destination}-{item.Sequence}.dcm");
        }
        catch (FileNotFoundException)
        {
            return Answers.NotFound("The object has left the quarantine since."); // since it was found
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            records.Record(http, OperatorAction.Download, item, isSuccess: false);
            return Answer(QuarantineOutcome.Failed);
        }
    }

    /// <summary><c>POST …/retry</c>: back to the end of its queue.</summary>
    public Task<IResult> RetryAsync(HttpContext http, string destination, string id) =>
        OneAsync(http, OperatorAction.Retry, destination, id, spool.Quarantine.RetryAsync);

    /// <summary><c>DELETE</c>: gone for good.</summary>
    public Task<IResult> PurgeAsync(HttpContext http, string destination, string id) =>
        OneAsync(http, OperatorAction.Purge, destination, id, spool.Quarantine.PurgeAsync);

    /// <summary><c>PUT …/replace</c>: the body is the corrected Part 10 file, and is queued in its place.</summary>
    public async Task<IResult> ReplaceAsync(HttpContext http, string destination, string id)
    {
        var most = (long)configuration.Current.Http.MaxReplaceMiB << 20;
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size) size.MaxRequestBodySize = most;
        try
        {
            return await OneAsync(http, OperatorAction.Replace, destination, id,
                item => spool.Quarantine.ReplaceAsync(item, http.Request.Body, http.RequestAborted));
        }
        catch (BadHttpRequestException exception) // too long, too slow, cut off
        {
            var isTooLong = exception.StatusCode == StatusCodes.Status413PayloadTooLarge;
            return Answers.Problem(exception.StatusCode, "The file could not be read",
                isTooLong ? $"It is longer than {most} bytes (Gateway:Http:MaxReplaceMiB)." : exception.Message, "body");
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException && http.RequestAborted.IsCancellationRequested)
        {
            return Results.Empty; // the client is gone
        }
    }

    /// <summary><c>POST /api/quarantine/{destination}/retry</c>: every object of a destination.</summary>
    public Task<IResult> RetryAllAsync(HttpContext http, string destination) => AllAsync(http, OperatorAction.Retry, destination, spool.Quarantine.RetryAsync);

    /// <summary><c>DELETE /api/quarantine/{destination}</c>: every object of a destination.</summary>
    public Task<IResult> PurgeAllAsync(HttpContext http, string destination) => AllAsync(http, OperatorAction.Purge, destination, spool.Quarantine.PurgeAsync);

    private async Task<IResult> OneAsync(HttpContext http, OperatorAction action, string destination, string id,
        Func<QuarantinedObject, Task<QuarantineOutcome>> act)
    {
        if (Find(destination, id, out var refusal) is not { } item) return refusal!;
        var outcome = await act(item);
        records.Record(http, action, item, outcome == QuarantineOutcome.Done);
        return Answer(outcome);
    }

    private async Task<IResult> AllAsync(HttpContext http, OperatorAction action, string destination, Func<QuarantinedObject, Task<QuarantineOutcome>> act)
    {
        if (!SpoolName.IsDestination(destination)) return Answers.NotFound("There is no destination of that name.");
        var (done, failed) = (0, 0);
        foreach (var item in spool.Quarantine.List(destination).Items)
        {
            var isDone = await act(item) == QuarantineOutcome.Done;
            records.Record(http, action, item, isDone);
            if (isDone) done++;
            else failed++;
        }
        return Answers.Ok(new QuarantineCounts(done, failed), ApiJson.Default.QuarantineCounts);
    }

    private QuarantinedObject? Find(string destination, string id, out IResult? refusal)
    {
        refusal = null;
        if (!long.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var sequence))
        {
            refusal = Answers.Wrong("id", "Give the number that the list of the quarantine shows.");
            return null;
        }
        var item = spool.Quarantine.Find(destination, sequence);
        if (item is null) refusal = Answers.NotFound("No such object is in quarantine.");
        return item;
    }

    private static IResult Answer(QuarantineOutcome outcome) => outcome switch
    {
        QuarantineOutcome.Done => Results.NoContent(),
        QuarantineOutcome.NotFound => Answers.NotFound("No such object is in quarantine."),
        QuarantineOutcome.NotDicom => Answers.Wrong("body", "Give a whole DICOM Part 10 file with SOP Class, SOP Instance, Study and Series Instance UID."),
        QuarantineOutcome.OutOfResources =>
            Answers.Problem(StatusCodes.Status507InsufficientStorage, "The spool is full",
            "Wait until objects have been sent, or give it more room (Gateway:Spool:MaxSizeMiB)."),
        _ => Answers.Problem(StatusCodes.Status503ServiceUnavailable, "The disk failed", "Look at the gateway's log."),
    };

    private static QuarantineItem Item(QuarantinedObject item) => new(item.Destination, item.Sequence.ToString(CultureInfo.InvariantCulture), item.Size,
        item.Reason);
}
