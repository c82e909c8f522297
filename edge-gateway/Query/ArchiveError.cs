using System.Net;
using Statuses = DicomServerless.Dicom.Network.DimseStatus;

namespace DicomServerless.EdgeGateway.Query;

/// <summary>The archive gave no usable answer.</summary>
/// <param name="message">Why, without patient data.</param>
/// <param name="status">The HTTP status, or null if there was no answer.</param>
/// <param name="inner">The cause.</param>
internal sealed class ArchiveException(string message, HttpStatusCode? status = null, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The HTTP status, or null if there was no answer.</summary>
    public HttpStatusCode? Status => status;

    /// <summary>The failure as a status of C-FIND, C-MOVE and C-GET (PS3.4 C.4.1.1.4; E9).</summary>
    public ushort DimseStatus => status switch
    {
        HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable or HttpStatusCode.InsufficientStorage or HttpStatusCode.RequestEntityTooLarge =>
            Statuses.OutOfResources,
        HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => Statuses.NotAuthorized,
        HttpStatusCode.BadRequest => Statuses.DataSetMismatch,
        _ => Statuses.UnableToProcess,
    };
}
