using DicomServerless.Functions.Hosting;
using Microsoft.Azure.Functions.Worker;

namespace DicomServerless.Functions.Triggers;

/// <summary>
/// What the Functions host calls for requests: everything goes to the same pipeline as outside it. There are three, so that an operator can switch one off by
/// the setting <c>AzureWebJobs.NAME.Disabled</c> and have an archive that is only read, only filled, or never deleted from.
/// </summary>
/// <param name="pipeline">The pipeline.</param>
internal sealed class HttpFunctions(WorkerPipeline pipeline)
{
    private const string Everything = "{*path}";

    /// <summary>Stores and replaces; searches by POST are none of PS3.18.</summary>
    /// <param name="request">The request.</param>
    [Function("store")]
    public Task StoreAsync([HttpTrigger(AuthorizationLevel.Anonymous, "post", "put", Route = Everything)] HttpRequest request) =>
        pipeline.InvokeAsync(request.HttpContext);

    /// <summary>Searches, retrieves, tells of capabilities and health, and serves the viewer.</summary>
    /// <param name="request">The request.</param>
    [Function("searchRetrieve")]
    public Task SearchRetrieveAsync([HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", "options", Route = Everything)] HttpRequest request) =>
        pipeline.InvokeAsync(request.HttpContext);

    /// <summary>Deletes.</summary>
    /// <param name="request">The request.</param>
    [Function("delete")]
    public Task DeleteAsync([HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = Everything)] HttpRequest request) =>
        pipeline.InvokeAsync(request.HttpContext);
}
