using Azure.Core;

namespace DicomServerless.Storage.Azure;

/// <summary>
/// Where one storage account is and how to sign in: a connection string, or service addresses with an identity. The names of the settings are those that
/// the Functions host uses for identity connections, so that one set of settings serves both.
/// </summary>
public sealed record AzureStorageOptions
{
    /// <summary>The settings section that these options came from; messages name it.</summary>
    public string Section { get; init; } = "DataStorage";
    /// <summary>The value of the section itself: a connection string. Wins over everything below.</summary>
    public string? ConnectionString { get; init; }
    /// <summary>The account's name in the public cloud, in place of the three addresses.</summary>
    public string? AccountName { get; init; }
    /// <summary>The address of the blob service.</summary>
    public string? BlobServiceUri { get; init; }
    /// <summary>The address of the table service.</summary>
    public string? TableServiceUri { get; init; }
    /// <summary>The address of the queue service; only where events are used.</summary>
    public string? QueueServiceUri { get; init; }
    /// <summary>"managedidentity", "workloadidentity", or null for whatever identity the machine offers.</summary>
    public string? Credential { get; init; }
    /// <summary>The client id of a user-assigned identity.</summary>
    public string? ClientId { get; init; }
    /// <summary>An identity that is ready made; wins over <see cref="Credential"/>.</summary>
    public TokenCredential? TokenCredential { get; init; }
    /// <summary>Told of every request that is sent, retries included; must be quick and thread-safe.</summary>
    public Action<StorageTransaction>? OnTransaction { get; init; }

    /// <summary>Reads the options of a section, for example "DataStorage".</summary>
    /// <param name="section">The section.</param>
    /// <param name="setting">Gives the value of a configuration key such as "DataStorage:blobServiceUri", or null.</param>
    public static AzureStorageOptions Read(string section, Func<string, string?> setting)
    {
        string? Value(string key) => setting(key) is { Length: > 0 } value ? value : null;
        return new AzureStorageOptions
        {
            Section = section,
            ConnectionString = Value(section),
            AccountName = Value($"{section}:accountName"),
            BlobServiceUri = Value($"{section}:blobServiceUri"),
            TableServiceUri = Value($"{section}:tableServiceUri"),
            QueueServiceUri = Value($"{section}:queueServiceUri"),
            Credential = Value($"{section}:credential"),
            ClientId = Value($"{section}:clientId"),
        };
    }
}

/// <summary>The storage settings are wrong; the message names the setting and what to do, and is fit to be shown alone.</summary>
/// <param name="message">What is wrong and how to put it right.</param>
public sealed class StorageOptionsException(string message) : Exception(message);
