using System.Globalization;
using DicomServerless.EdgeGateway.Hosting;
using DicomServerless.EdgeGateway.Spooling;
using Microsoft.AspNetCore.Http.Features;

namespace DicomServerless.EdgeGateway.Dashboard;

/// <summary>The quarantine for operators: <c>/api/quarantine</c> and below.</summary>
internal static class QuarantineApi
{
    private const int DefaultLimit = 500, MaxLimit = 10_000;

    /// <summary><c>GET /api/quarantine?destination&amp;limit</c>.</summary>
    public static IResult List(HttpRequest request, Spool spool)
    {
        var limit = DefaultLimit;
        if (request.Query["limit"] is [{ Length: > 0 } text] && (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out limit) || limit is < 1 or > MaxLimit)) return Answers.Wrong("limit", $"Give a number from 1 to {MaxLimit}.");
        var destination = request.Query["destination"] is [{ Length: > 0 } name] ? name : null;
        if (destination is not null && !SpoolName.IsDestination(destination)) return Answers.Wrong("destination", "Give the name of a destination.");
        var items = spool.Quarantine.List(destination);
        return Answers.Ok(new QuarantineList([.. items.Take(limit).Select(Item)], items.Count), ApiJson.Default.QuarantineList);
    }

    /// <summary><c>GET /api/quarantine/{destination}/{id}</c>: the reason.</summary>
    public static IResult Get(string destination, string id, Spool spool) =>
        Find(spool, destination, id, out var refusal) is { } item ? Answers.Ok(Item(item), ApiJson.Default.QuarantineItem) : refusal!;

    /// <summary><c>GET …/file</c>: the object as it came, a Part 10 file.</summary>
    public static IResult File(string destination, string id, Spool spool)
    {
        if (Find(spool, destination, id, out var refusal) is not { } item) return refusal!;
        try
        {
            return Results.Stream(new FileStream(item.Path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 1 << 16, FileOptions.Asynchronous | FileOptions.SequentialScan), "application/dicom", $"{destination}-{item.Sequence}.dcm");
        }
        catch (FileNotFoundException)
        {
            return Answers.Unknown("The object has left the quarantine."); // since it was found
        }
    }

    /// <summary><c>POST …/retry</c>: back to the end of its queue.</summary>
    public static async Task<IResult> RetryAsync(string destination, string id, Spool spool) =>
        Find(spool, destination, id, out var refusal) is { } item ? Answer(await spool.Quarantine.RetryAsync(destination, item.Sequence)) : refusal!;

    /// <summary><c>DELETE</c>: gone for good.</summary>
    public static async Task<IResult> PurgeAsync(string destination, string id, Spool spool) =>
        Find(spool, destination, id, out var refusal) is { } item ? Answer(await spool.Quarantine.PurgeAsync(destination, item.Sequence)) : refusal!;

    /// <summary><c>PUT …/replace</c>: the body is the corrected Part 10 file, and is queued in its place.</summary>
    public static async Task<IResult> ReplaceAsync(string destination, string id, HttpContext http, Spool spool, GatewayConfiguration configuration)
    {
        if (Find(spool, destination, id, out var refusal) is not { } item) return refusal!;
        var most = (long)configuration.Current.Http.MaxReplaceMiB << 20;
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size) size.MaxRequestBodySize = most;
        try
        {
            return Answer(await spool.Quarantine.ReplaceAsync(destination, item.Sequence, http.Request.Body, http.RequestAborted));
        }
        catch (BadHttpRequestException exception) // too long, too slow, cut off
        {
            return Answers.Problem(exception.StatusCode, "The file could not be read", exception.StatusCode == StatusCodes.Status413PayloadTooLarge ? $"It is longer than {most} bytes (Gateway:Http:MaxReplaceMiB)." : exception.Message, "body");
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException && http.RequestAborted.IsCancellationRequested)
        {
            return Results.Empty; // nobody reads the answer
        }
    }

    /// <summary><c>POST /api/quarantine/{destination}/retry</c>: every object of a destination.</summary>
    public static Task<IResult> RetryAllAsync(string destination, Spool spool) => AllAsync(destination, spool, spool.Quarantine.RetryAsync);

    /// <summary><c>DELETE /api/quarantine/{destination}</c>: every object of a destination.</summary>
    public static Task<IResult> PurgeAllAsync(string destination, Spool spool) => AllAsync(destination, spool, spool.Quarantine.PurgeAsync);

    private static async Task<IResult> AllAsync(string destination, Spool spool, Func<string, long, Task<QuarantineOutcome>> act)
    {
        if (!SpoolName.IsDestination(destination)) return Answers.Unknown("There is no destination of that name.");
        var (done, failed) = (0, 0);
        foreach (var item in spool.Quarantine.List(destination))
        {
            if (await act(destination, item.Sequence) == QuarantineOutcome.Done) done++;
            else failed++;
        }
        return Answers.Ok(new QuarantineCounts(done, failed), ApiJson.Default.QuarantineCounts);
    }

    private static QuarantinedObject? Find(Spool spool, string destination, string id, out IResult? refusal)
    {
        refusal = null;
        if (!long.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var sequence))
        {
            refusal = Answers.Wrong("id", "Give the number that the list of the quarantine shows.");
            return null;
        }
        var item = spool.Quarantine.Find(destination, sequence);
        if (item is null) refusal = Answers.Unknown("No such object is in quarantine.");
        return item;
    }

    private static IResult Answer(QuarantineOutcome outcome) => outcome switch
    {
        QuarantineOutcome.Done => Results.NoContent(),
        QuarantineOutcome.NotFound => Answers.Unknown("No such object is in quarantine."),
        QuarantineOutcome.NotDicom => Answers.Wrong("body", "The file is no DICOM object that an archive takes: a whole Part 10 file with SOP Class, SOP Instance, Study and Series UID."),
        QuarantineOutcome.OutOfResources => Answers.Problem(StatusCodes.Status507InsufficientStorage, "The spool is full", "Wait until objects have been sent, or give it more room (Gateway:Spool:MaxSizeMiB)."),
        _ => Answers.Problem(StatusCodes.Status503ServiceUnavailable, "The disk failed", "Look at the gateway's log."),
    };

    private static QuarantineItem Item(QuarantinedObject item) => new(Path.GetFileName(Path.GetDirectoryName(item.Path))!, item.Sequence.ToString(CultureInfo.InvariantCulture), item.Size, item.Reason);
}
