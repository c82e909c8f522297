using Azure;
using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Storage;
using Azure.Storage.Blobs;
using Azure.Storage.Queues;
using Azure.Storage.Sas;

namespace DicomServerless.Storage.Azure;

/// <summary>
/// One storage account. Make one per process: it holds the connections. What it makes is thread-safe. Nothing is sent until it is used.
/// Requests are neither logged nor traced by the clients, because names of blobs and keys of rows identify patients.
/// </summary>
public sealed class AzureStorageAccount
{
    private readonly Lazy<BlobServiceClient> blobs;
    private readonly Lazy<HttpPipeline> tables;
    private readonly StorageEndpoints endpoints;
    private readonly Action<StorageTransaction>? onTransaction;

    /// <summary>Checks the options; throws <see cref="StorageOptionsException"/> if they cannot work.</summary>
    public AzureStorageAccount(AzureStorageOptions options, TimeProvider time)
    {
        endpoints = StorageEndpoints.From(options);
        onTransaction = options.OnTransaction;
        blobs = new(BuildBlobs);
        tables = new(() => BuildTables(time));
    }

    /// <summary>A container of blobs.</summary>
    public IBlobContainer BlobContainer(string name) => new AzureBlobContainer(blobs.Value.GetBlobContainerClient(name));

    /// <summary>A table; names are letters and digits.</summary>
    public ITable Table(string name) => new AzureTable(tables.Value, endpoints.Require(endpoints.Table, "table"), name);

    /// <summary>A queue of events with its companion <c>NAME-poison</c>.</summary>
    public EventQueue EventQueue(string name)
    {
        var address = endpoints.Require(endpoints.Queue, "queue");
        // The text of a message is decoded by us: one message that is not base64 must not fail the receipt of its neighbours.
        var options = Configured(new QueueClientOptions { MessageEncoding = QueueMessageEncoding.None }, "queue");
        var service = endpoints switch
        {
            { AccountKey: { } key } => new QueueServiceClient(address, new StorageSharedKeyCredential(endpoints.AccountName, key), options),
            { Signature: { } signature } => new QueueServiceClient(address, new AzureSasCredential(signature), options),
            _ => new QueueServiceClient(address, endpoints.Identity, options),
        };
        return new EventQueue(service.GetQueueClient(name), service.GetQueueClient(name + "-poison"));
    }

    /// <summary>
    /// A URL by which anyone may write one blob, blocks included, until then: signed with the account's key, or with a user delegation key of the identity.
    /// Null where the account itself is used by a signature, which cannot sign another.
    /// </summary>
    public async Task<Uri?> WriteUrlAsync(string container, string name, DateTimeOffset until, CancellationToken cancellationToken)
    {
        if (endpoints.Signature is not null) return null;
        var blob = blobs.Value.GetBlobContainerClient(container).GetBlobClient(name);
        var permission = new BlobSasBuilder(BlobSasPermissions.Create | BlobSasPermissions.Write, until) { BlobContainerName = container, BlobName = name,
            Resource = "b" };
        if (endpoints.AccountKey is not null) return blob.GenerateSasUri(permission);
        var key = await blobs.Value.GetUserDelegationKeyAsync(null, until, cancellationToken).ConfigureAwait(false);
        return new BlobUriBuilder(blob.Uri) { Sas = permission.ToSasQueryParameters(key.Value, blobs.Value.AccountName) }.ToUri();
    }

    private BlobServiceClient BuildBlobs()
    {
        var address = endpoints.Require(endpoints.Blob, "blob");
        var options = Configured(new BlobClientOptions(), "blob");
        return endpoints switch
        {
            { AccountKey: { } key } => new BlobServiceClient(address, new StorageSharedKeyCredential(endpoints.AccountName, key), options),
            { Signature: { } signature } => new BlobServiceClient(address, new AzureSasCredential(signature), options),
            _ => new BlobServiceClient(address, endpoints.Identity, options),
        };
    }

    private HttpPipeline BuildTables(TimeProvider time)
    {
        HttpPipelinePolicy authentication = endpoints switch
        {
            { AccountKey: { } key } => new SharedKeyLitePolicy(endpoints.AccountName!, Convert.FromBase64String(key), time),
            { Signature: { } signature } => new SignaturePolicy(signature),
            _ => new BearerTokenAuthenticationPolicy(endpoints.Identity!, "https://storage.azure.com/.default"),
        };
        return HttpPipelineBuilder.Build(Configured(new TableOptions(), "table"), authentication);
    }

    private T Configured<T>(T options, string service) where T : ClientOptions
    {
        // The service asks for exponential back-off on 503 and 500; four tries after the first end within about 15 s, inside a front end's patience.
        options.Retry.Mode = RetryMode.Exponential;
        options.Retry.MaxRetries = 4;
        options.Retry.Delay = TimeSpan.FromMilliseconds(500);
        options.Retry.MaxDelay = TimeSpan.FromSeconds(8);
        options.Retry.NetworkTimeout = BodyTimeoutPolicy.Base;
        options.Diagnostics.IsLoggingEnabled = false;
        options.Diagnostics.IsDistributedTracingEnabled = false;
        options.Diagnostics.IsTelemetryEnabled = false;
        options.AddPolicy(BodyTimeoutPolicy.Instance, HttpPipelinePosition.PerCall);
        options.AddPolicy(new TransactionPolicy(service, onTransaction), HttpPipelinePosition.PerRetry);
        return options;
    }

    private sealed class TableOptions : ClientOptions;
}
