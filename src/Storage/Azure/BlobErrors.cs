using Azure;

namespace DicomServerless.Storage.Azure;

/// <summary>
/// Which refusals of the blob service are outcomes. What is not listed (a missing container, a lease, an immutability policy, sign-in) is an operator's to
/// put right, and stays an exception.
/// </summary>
internal static class BlobErrors
{
    public static bool IsExpected(RequestFailedException e) => Status(e) is not null;

    public static StorageStatus? Status(RequestFailedException e) => e.Status switch
    {
        // A refused HEAD has no body, and some proxies drop the header with the code.
        404 when e.ErrorCode is null or "BlobNotFound" or "ResourceNotFound" => StorageStatus.NotFound,
        409 when e.ErrorCode is null or "BlobAlreadyExists" or "InvalidBlobType" or "BlockCountExceedsLimit" => StorageStatus.Conflict,
        412 when e.ErrorCode is null or "ConditionNotMet" or "TargetConditionNotMet" or "SourceConditionNotMet" => StorageStatus.PreconditionFailed,
        413 => StorageStatus.TooLarge,
        416 => StorageStatus.RangeNotSatisfiable,
        400 when e.ErrorCode is "InvalidBlockList" or "InvalidBlobOrBlock" or "InvalidBlockId" or "BlockListTooLong"
            or "InvalidMetadata" or "MetadataTooLarge" or "EmptyMetadataKey"
            => StorageStatus.Invalid,
        _ => null,
    };
}
