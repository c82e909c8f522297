using Azure.Core;
using Azure.Identity;

namespace DicomServerless.Storage.Azure;

/// <summary>The addresses of an account that is used with an identity, and that identity.</summary>
internal sealed record StorageIdentity
{
    public Uri? Blob { get; init; }
    public Uri? Table { get; init; }
    public Uri? Queue { get; init; }
    public required TokenCredential Credential { get; init; }

    /// <summary>Reads them; throws <see cref="StorageOptionsException"/> if they cannot work.</summary>
    public static StorageIdentity Of(AzureStorageOptions options)
    {
        var section = options.Section;
        if (options.AccountName is { } name && !(name.Length is >= 3 and <= 24 && name.All(c => char.IsAsciiDigit(c) || char.IsAsciiLetterLower(c))))
            throw new StorageOptionsException($"{section}__accountName is \"{name}\": an account's name has 3 to 24 lower-case letters and digits.");
        Uri? Endpoint(string? value, string key, string service) => value is not null
            ? Address($"{section}__{key}", value)
            : options.AccountName is { } account ? new Uri($"https://{account}.{service}.core.windows.net") : null;
        var endpoints = new StorageIdentity
        {
            Blob = Endpoint(options.BlobServiceUri, "blobServiceUri", "blob"),
            Table = Endpoint(options.TableServiceUri, "tableServiceUri", "table"),
            Queue = Endpoint(options.QueueServiceUri, "queueServiceUri", "queue"),
            Credential = options.TokenCredential ?? CredentialOf(options),
        };
        if (endpoints.Blob is null && endpoints.Table is null && endpoints.Queue is null)
            throw new StorageOptionsException(
                $"{section} is not set. Set {section} to a connection string, or {section}__blobServiceUri and {section}__tableServiceUri "
                + "(https://ACCOUNT.blob.core.windows.net, https://ACCOUNT.table.core.windows.net) to sign in with an identity.");
        foreach (var address in new[] { endpoints.Blob, endpoints.Table, endpoints.Queue })
        {
            if (address is not null && address.Scheme != Uri.UriSchemeHttps)
                throw new StorageOptionsException(
                    $"{section}: {address.GetLeftPart(UriPartial.Path)} is not https. An identity's token is never sent in the clear; use https, or a "
                    + "connection string for an emulator.");
        }
        return endpoints;
    }

    private static TokenCredential CredentialOf(AzureStorageOptions options) => options.Credential?.ToUpperInvariant() switch
    {
        "MANAGEDIDENTITY" => new ManagedIdentityCredential(options.ClientId is { } id ? ManagedIdentityId.FromUserAssignedClientId(id)
            : ManagedIdentityId.SystemAssigned),
        "WORKLOADIDENTITY" => new WorkloadIdentityCredential(
            new WorkloadIdentityCredentialOptions { ClientId = options.ClientId ?? Environment.GetEnvironmentVariable("AZURE_CLIENT_ID") }),
        null => new DefaultAzureCredential(
            new DefaultAzureCredentialOptions { ManagedIdentityClientId = options.ClientId,
            WorkloadIdentityClientId = options.ClientId ?? Environment.GetEnvironmentVariable("AZURE_CLIENT_ID") }),
        _ => throw new StorageOptionsException(
            $"{options.Section}__credential is '{options.Credential}'. It can be managedidentity or workloadidentity, or be left out."),
    };

    private static Uri Address(string key, string value)
    {
        if (!Uri.TryCreate(value.TrimEnd('/'), UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
            throw new StorageOptionsException($"{key} is not an http or https address: it looks like https://ACCOUNT.blob.core.windows.net.");
        return uri.Query.Length + uri.UserInfo.Length == 0 ? uri : throw new StorageOptionsException(
            $"{key} has a query or a user in it: an identity signs in by itself. Leave everything after the account's address out, or use a connection "
            + "string.");
    }
}
