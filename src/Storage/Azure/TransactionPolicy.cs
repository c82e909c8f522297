using System.Diagnostics.Metrics;
using Azure.Core;
using Azure.Core.Pipeline;

namespace DicomServerless.Storage.Azure;

/// <summary>One request to the account: what is billed. It names no blob, row or account.</summary>
/// <param name="Service">blob, table or queue.</param>
/// <param name="Operation">The method and the kind of resource, for example "PUT block" or "POST batch".</param>
public readonly record struct StorageTransaction(string Service, string Operation);

/// <summary>Counts every request that is sent, retries included.</summary>
internal sealed class TransactionPolicy(string service, Action<StorageTransaction>? observer) : HttpPipelineSynchronousPolicy
{
    private static readonly Meter Meter = new("DicomServerless.Storage");
    private static readonly Counter<long> Transactions = Meter.CreateCounter<long>("dicomserverless.storage.transactions", "{transaction}",
        "Requests sent to the storage account, retries included.");

    public override void OnSendingRequest(HttpMessage message)
    {
        if (observer is null && !Transactions.Enabled) return;
        var operation = $"{message.Request.Method} {Resource(message.Request)}";
        Transactions.Add(1, new("service", service), new("operation", operation));
        observer?.Invoke(new StorageTransaction(service, operation));
    }

    private string Resource(Request request) => service switch
    {
        "blob" => Blob(request.Uri.Query),
        "table" => Table(request.Uri.Path),
        _ => request.Uri.Path.Contains("/messages", StringComparison.Ordinal) ? "message" : "queue",
    };

    private static string Blob(string query) =>
        query.Contains("comp=blocklist", StringComparison.Ordinal) ? "blocklist"
        : query.Contains("comp=block", StringComparison.Ordinal) ? "block"
        : query.Contains("comp=list", StringComparison.Ordinal) ? "list"
        : query.Contains("restype=container", StringComparison.Ordinal) ? "container"
        : "blob";

    private static string Table(string path) =>
        path.EndsWith("/$batch", StringComparison.Ordinal) ? "batch"
        : path.EndsWith("()", StringComparison.Ordinal) ? "query"
        : path.EndsWith("/Tables", StringComparison.Ordinal) ? "table"
        : "entity";
}
