using Azure.Core;
using Azure.Identity;

namespace DicomServerless.Storage.Azure;

/// <summary>The addresses of an account and the one way to sign in: exactly one of key, signature and identity is set.</summary>
internal sealed record StorageEndpoints
{
    // Published by Microsoft: the account that every storage emulator has. Not a secret.
    private const string EmulatorAccount = "devstoreaccount1";
    private const string EmulatorKey = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

    public required string Section { get; init; }
    public Uri? Blob { get; init; }
    public Uri? Table { get; init; }
    public Uri? Queue { get; init; }
    public string? AccountName { get; init; }
    public string? AccountKey { get; init; }
    /// <summary>A query without the question mark.</summary>
    public string? Signature { get; init; }
    public TokenCredential? Identity { get; init; }

    public static StorageEndpoints From(AzureStorageOptions options) =>
        options.ConnectionString is { } text ? FromConnectionString(options.Section, text) : FromIdentity(options);

    /// <summary>The address of a service, or what to set.</summary>
    public Uri Require(Uri? address, string service) => address ?? throw new StorageOptionsException(
        $"{Section}: no address for the {service} service. Set {Section}__{service}ServiceUri, or "
        + $"{char.ToUpperInvariant(service[0])}{service[1..]}Endpoint in the connection string {Section}.");

    private static StorageEndpoints FromConnectionString(string section, string text)
    {
        var parts = Parse(section, text);
        if (parts.TryGetValue("UseDevelopmentStorage", out var emulator))
        {
            if (!string.Equals(emulator, "true", StringComparison.OrdinalIgnoreCase))
                throw new StorageOptionsException($"{section}: UseDevelopmentStorage can only be true; leave it out to use a real account.");
            var host = parts.TryGetValue("DevelopmentStorageProxyUri", out var proxy) ? proxy.TrimEnd('/') : "http://127.0.0.1";
            return new StorageEndpoints
            {
                Section = section, AccountName = EmulatorAccount, AccountKey = EmulatorKey,
                Blob = new Uri($"{host}:10000/{EmulatorAccount}"), Queue = new Uri($"{host}:10001/{EmulatorAccount}"),
                Table = new Uri($"{host}:10002/{EmulatorAccount}"),
            };
        }
        var account = parts.GetValueOrDefault("AccountName");
        var key = parts.GetValueOrDefault("AccountKey");
        var signature = parts.GetValueOrDefault("SharedAccessSignature")?.TrimStart('?');
        if (key is null && signature is null)
            throw new StorageOptionsException(
                $"{section}: the connection string has neither AccountKey nor SharedAccessSignature. Copy the whole string, "
                + $"or set {section}__blobServiceUri and its companions to sign in with an identity.");
        if (key is not null)
        {
            if (account is null) throw new StorageOptionsException($"{section}: the connection string has an AccountKey but no AccountName.");
            if (!Convert.TryFromBase64String(key, new byte[key.Length], out _))
                throw new StorageOptionsException($"{section}: the AccountKey in the connection string is not base64. Copy it again.");
            signature = null;
        }
        var protocol = parts.GetValueOrDefault("DefaultEndpointsProtocol") ?? "https";
        var suffix = parts.GetValueOrDefault("EndpointSuffix") ?? "core.windows.net";
        Uri? Endpoint(string name, string service)
        {
            if (parts.TryGetValue(name, out var value)) return Address($"{section}: {name}", value);
            return account is null ? null : new Uri($"{protocol}://{account}.{service}.{suffix}");
        }
        return new StorageEndpoints
        {
            Section = section, AccountName = account, AccountKey = key, Signature = signature,
            Blob = Endpoint("BlobEndpoint", "blob"), Queue = Endpoint("QueueEndpoint", "queue"), Table = Endpoint("TableEndpoint", "table"),
        };
    }

    private static Dictionary<string, string> Parse(string section, string text)
    {
        var parts = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var part in text.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var equals = part.IndexOf('='); // A key and a signature contain more of them.
            if (equals <= 0) throw new StorageOptionsException(
                $"{section}: the connection string has a part without '='. It is written as Name=Value;Name=Value.");
            parts[part[..equals]] = part[(equals + 1)..];
        }
        return parts;
    }

    private static StorageEndpoints FromIdentity(AzureStorageOptions options)
    {
        var section = options.Section;
        Uri? Endpoint(string? value, string key, string service) => value is not null
            ? Address($"{section}__{key}", value)
            : options.AccountName is { } account ? new Uri($"https://{account}.{service}.core.windows.net") : null;
        var endpoints = new StorageEndpoints
        {
            Section = section,
            AccountName = options.AccountName,
            Blob = Endpoint(options.BlobServiceUri, "blobServiceUri", "blob"),
            Table = Endpoint(options.TableServiceUri, "tableServiceUri", "table"),
            Queue = Endpoint(options.QueueServiceUri, "queueServiceUri", "queue"),
            Identity = options.TokenCredential ?? Credential(options),
        };
        if (endpoints.Blob is null && endpoints.Table is null && endpoints.Queue is null)
            throw new StorageOptionsException(
                $"{section} is not set. Set {section} to a connection string, or {section}__blobServiceUri and {section}__tableServiceUri "
                + "(https://ACCOUNT.blob.core.windows.net, https://ACCOUNT.table.core.windows.net) to sign in with an identity.");
        foreach (var address in new[] { endpoints.Blob, endpoints.Table, endpoints.Queue })
        {
            if (address is not null && address.Scheme != Uri.UriSchemeHttps)
                throw new StorageOptionsException(
                    $"{section}: {address} is not https. An identity's token is never sent in the clear; use https, or a connection string for an emulator.");
        }
        return endpoints;
    }

    private static TokenCredential Credential(AzureStorageOptions options) => options.Credential?.ToUpperInvariant() switch
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

    private static Uri Address(string key, string value) =>
        Uri.TryCreate(value.TrimEnd('/'), UriKind.Absolute, out var uri) && (uri.Scheme == Uri.UriSchemeHttp || uri.Scheme == Uri.UriSchemeHttps)
            ? uri
            : throw new StorageOptionsException($"{key} is not an http or https address: it looks like https://ACCOUNT.blob.core.windows.net.");
}
