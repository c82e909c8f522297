using Azure;
using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Data.Tables;
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
    private readonly AzureStorageOptions options;
    private readonly StorageIdentity? identity;
    private readonly Lazy<BlobServiceClient> blobs;
    private readonly Lazy<TableServiceClient> tables;
    private readonly Lazy<QueueServiceClient> queues;

    /// <summary>Checks the options; throws <see cref="StorageOptionsException"/> if they cannot work.</summary>
    public AzureStorageAccount(AzureStorageOptions options)
    {
        this.options = options;
        identity = options.ConnectionString is null ? StorageIdentity.Of(options) : null;
        blobs = new(() => Client("blob", identity?.Blob, new BlobClientOptions(), (text, with) => new BlobServiceClient(text, with),
            (address, credential, with) => new BlobServiceClient(address, credential, with), client => client.Uri));
        tables = new(() => Client("table", identity?.Table, new TableClientOptions(), (text, with) => new TableServiceClient(text, with),
            (address, credential, with) => new TableServiceClient(address, credential, with), client => client.Uri));
        // The text of a message is decoded by us: one message that is not base64 must not fail the receipt of its neighbours.
        queues = new(() => Client("queue", identity?.Queue, new QueueClientOptions { MessageEncoding = QueueMessageEncoding.None },
            (text, with) => new QueueServiceClient(text, with), (address, credential, with) => new QueueServiceClient(address, credential, with),
            client => client.Uri));
        if (identity is null) _ = blobs.Value;
    }

    internal BlobServiceClient Blobs => blobs.Value;
    internal TableServiceClient Tables => tables.Value;
    internal QueueServiceClient Queues => queues.Value;
    internal TokenCredential? Credential => identity?.Credential;

    /// <summary>A container of blobs.</summary>
    public IBlobContainer BlobContainer(string name) => new AzureBlobContainer(Blobs.GetBlobContainerClient(name));

    /// <summary>A table; names are letters and digits.</summary>
    public ITable Table(string name) => new AzureTable(Tables.GetTableClient(name));

    /// <summary>A queue of events with its companion <c>NAME-poison</c>.</summary>
    public EventQueue EventQueue(string name) => new(Queues.GetQueueClient(name), Queues.GetQueueClient(name + "-poison"));

    /// <summary>
    /// A URL by which anyone may write one blob, blocks included, until then: signed with the account's key, or with a user delegation key of the identity.
    /// Null where the account itself is used by a signature, which cannot sign another.
    /// </summary>
    public async Task<Uri?> WriteUrlAsync(string container, string name, DateTimeOffset until, CancellationToken cancellationToken)
    {
        var blob = Blobs.GetBlobContainerClient(container).GetBlobClient(name);
        var permission = new BlobSasBuilder(BlobSasPermissions.Create | BlobSasPermissions.Write, until) { BlobContainerName = container, BlobName = name,
            Resource = "b" };
        if (blob.CanGenerateSasUri) return blob.GenerateSasUri(permission);
        if (identity is null) return null;
        var key = await Blobs.GetUserDelegationKeyAsync(null, until, cancellationToken).ConfigureAwait(false);
        return new BlobUriBuilder(blob.Uri) { Sas = permission.ToSasQueryParameters(key.Value, Blobs.AccountName) }.ToUri();
    }

    private TClient Client<TClient, TOptions>(string service, Uri? address, TOptions clientOptions, Func<string, TOptions, TClient> byText,
        Func<Uri, TokenCredential, TOptions, TClient> byIdentity, Func<TClient, Uri> addressOf) where TOptions : ClientOptions
    {
        var missing = $"{options.Section}: no address for the {service} service. Set {options.Section}__{service}ServiceUri, or "
            + $"{char.ToUpperInvariant(service[0])}{service[1..]}Endpoint in the connection string {options.Section}.";
        Configure(clientOptions, service);
        if (identity is not null) return byIdentity(address ?? throw new StorageOptionsException(missing), identity.Credential, clientOptions);
        TClient client;
        try
        {
            client = byText(options.ConnectionString!, clientOptions);
        }
        catch (Exception e) when (e is FormatException or InvalidOperationException or ArgumentException)
        {
            throw new StorageOptionsException(
                $"{options.Section}: the connection string cannot be used for the {service} service. It is written as Name=Value;Name=Value, with AccountName "
                + $"and AccountKey (base64), or SharedAccessSignature and the address {char.ToUpperInvariant(service[0])}{service[1..]}Endpoint, or "
                + "UseDevelopmentStorage=true. Copy the whole string from the storage account again, or leave it out and set "
                + $"{options.Section}__{service}ServiceUri to sign in with an identity.");
        }
        return addressOf(client) is { Scheme: "http" or "https" } ? client : throw new StorageOptionsException(missing);
    }

    private void Configure(ClientOptions clientOptions, string service)
    {
        // The service asks for exponential back-off on 503 and 500; four tries after the first end within about 15 s where it refuses, inside a front end's
        // patience. Where it does not answer at all, each try has its time limit.
        clientOptions.Retry.Mode = RetryMode.Exponential;
        clientOptions.Retry.MaxRetries = 4;
        clientOptions.Retry.Delay = TimeSpan.FromMilliseconds(500);
        clientOptions.Retry.MaxDelay = TimeSpan.FromSeconds(8);
        clientOptions.Retry.NetworkTimeout = BodyTimeoutPolicy.Base;
        clientOptions.Diagnostics.IsLoggingEnabled = false;
        clientOptions.Diagnostics.IsDistributedTracingEnabled = false;
        clientOptions.Diagnostics.IsTelemetryEnabled = false;
        clientOptions.AddPolicy(BodyTimeoutPolicy.Instance, HttpPipelinePosition.PerCall);
        clientOptions.AddPolicy(new TransactionPolicy(service, options.OnTransaction), HttpPipelinePosition.PerRetry);
    }
}
