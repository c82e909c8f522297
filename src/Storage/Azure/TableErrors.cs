using Azure;

namespace DicomServerless.Storage.Azure;

/// <summary>
/// Which refusals of the table service are outcomes. What is not listed (a missing table, sign-in) is an operator's to put right, and stays an exception.
/// </summary>
internal static class TableErrors
{
    /// <summary>The refusal as an outcome, or null if it is none.</summary>
    public static StorageStatus? Status(RequestFailedException e) => e.Status switch
    {
        _ when e.ErrorCode is "TableNotFound" or "TableBeingDeleted" => null,
        404 => StorageStatus.NotFound,
        409 => StorageStatus.Conflict,
        412 => StorageStatus.PreconditionFailed,
        413 => StorageStatus.TooLarge,
        400 when e.ErrorCode is "RequestBodyTooLarge" or "ContentLengthExceeded" => StorageStatus.TooLarge,
        400 => StorageStatus.Invalid,
        _ => null,
    };

    /// <summary>
    /// Whether a refusal that the client does not throw is of the table itself. Absent rows are common where studies are new, so no exception is made of them.
    /// </summary>
    public static bool IsOfTable(Response response) => response.Content.ToMemory().Span is var body
        && (body.IndexOf("\"TableNotFound\""u8) >= 0 || body.IndexOf("\"TableBeingDeleted\""u8) >= 0);
}
