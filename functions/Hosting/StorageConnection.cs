using DicomServerless.Archive;
using DicomServerless.Storage;
using DicomServerless.Storage.Azure;
using Microsoft.Extensions.Configuration;

namespace DicomServerless.Functions.Hosting;

/// <summary>The stores that the configuration names.</summary>
/// <param name="Stores">Containers and tables.</param>
/// <param name="Events">The queue of blob events; null where there is none.</param>
/// <param name="DeadLetters">Where Event Grid leaves what it cannot deliver; null where there is none.</param>
/// <param name="Uploads">Where objects above the host's limit come in; null where there is no such place.</param>
internal sealed record StorageConnection(ArchiveStores Stores, EventQueue? Events, IBlobContainer? DeadLetters = null, UploadPlaces? Uploads = null)
{
    private const string Section = "DataStorage";

    /// <summary>Opens the Azure account of section DataStorage. Nothing is sent yet. Null if the settings cannot work.</summary>
    public static StorageConnection? Open(IConfiguration configuration, List<string> problems)
    {
        try
        {
            var options = AzureStorageOptions.Read(Section, key => configuration[key]);
            var account = new AzureStorageAccount(options);
            var stores = new ArchiveStores(
                account.BlobContainer("dicom"), account.BlobContainer("derived"), account.BlobContainer("inbox"), account.BlobContainer("rejected"),
                account.Table("instances"), account.Table("studies"), account.Table("keys"), account.Table("uids"), account.Table("journal"));
            // The Functions host reads the queue itself, through a setting of the same section.
            var queue = configuration["Events:Queue"] is { Length: > 0 } name
                ? name : configuration["EVENTS_QUEUE"] is { Length: > 0 } shared ? shared : new EventOptions().Queue;
            return new StorageConnection(stores, options.QueueServiceUri is null && options.ConnectionString is null
                && options.AccountName is null ? null : account.EventQueue(queue), account.BlobContainer("dead-letter"),
                new UploadPlaces(account.BlobContainer("uploads"), (blob, until, token) => account.WriteUrlAsync("uploads", blob, until, token)));
        }
        catch (StorageOptionsException exception)
        {
            problems.Add(exception.Message);
            return null;
        }
    }

    /// <summary>Makes what events and uploads need if it is not there.</summary>
    public async Task CreateQueuesAsync(CancellationToken cancellationToken)
    {
        if (Events is not null) await Events.CreateIfAbsentAsync(cancellationToken);
        if (DeadLetters is not null) await DeadLetters.CreateIfAbsentAsync(cancellationToken);
        if (Uploads is not null) await Uploads.Container.CreateIfAbsentAsync(cancellationToken);
    }
}
