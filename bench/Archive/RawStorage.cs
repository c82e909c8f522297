using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Azure.Storage.Blobs;
using Azure.Storage.Sas;
using DicomServerless.Archive.Index;
using DicomServerless.Shared;

namespace DicomServerless.Bench.Archive;

/// <summary>The limit under us: the storage service itself, asked with as little as HTTP needs.</summary>
internal sealed class RawStorage
{
    private readonly Azurite azurite;
    private readonly HttpClient http;
    private readonly string container, signature;

    private RawStorage(Azurite azurite, HttpClient http, Uri signed)
    {
        (this.azurite, this.http) = (azurite, http);
        (container, signature) = (signed.GetLeftPart(UriPartial.Path), signed.Query);
    }

    public static async Task<RawStorage> OpenAsync(Azurite azurite, HttpClient http, string name)
    {
        var client = new BlobContainerClient(azurite.ConnectionString, name);
        await client.CreateIfNotExistsAsync();
        return new RawStorage(azurite, http, client.GenerateSasUri(BlobContainerSasPermissions.All, DateTimeOffset.UtcNow.AddHours(4)));
    }

    public async Task PutAsync(string name, HttpContent content)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, $"{container}/{name}{signature}") { Content = content };
        request.Headers.Add("x-ms-blob-type", "BlockBlob");
        request.Headers.Add("x-ms-version", "2021-12-02");
        using var response = await http.SendAsync(request);
        response.EnsureSuccessStatusCode();
    }

    /// <summary>Reads a blob away; gives its length.</summary>
    public async Task<long> GetAsync(string name, byte[] buffer)
    {
        using var response = await http.GetAsync($"{container}/{name}{signature}", HttpCompletionOption.ResponseHeadersRead);
        response.EnsureSuccessStatusCode();
        return await Drain.Async(response, buffer);
    }

    /// <summary>Reads a study's rows with the columns that metadata is made of, in one query; gives the bytes of the answer.</summary>
    public async Task<long> QueryRowsAsync(string study, byte[] buffer)
    {
        var filter = Uri.EscapeDataString($"PartitionKey eq '{study}' and RowKey ge 'i:' and RowKey lt 'i;'");
        var columns = Uri.EscapeDataString(string.Join(',', ["PartitionKey", "RowKey", .. InstanceState.MetadataColumns]));
        using var request = new HttpRequestMessage(HttpMethod.Get,
            $"http://127.0.0.1:{azurite.TablePort}/{Azurite.Account}/instances()?$filter={filter}&$select={columns}");
        using var response = await SendTableAsync(request);
        response.EnsureSuccessStatusCode();
        if (response.Headers.Contains("x-ms-continuation-NextPartitionKey")) throw new InvalidOperationException("The rows did not fit in one answer.");
        return await Drain.Async(response, buffer);
    }

    /// <summary>Whether no work on any study is unfinished.</summary>
    public async Task<bool> IsJournalEmptyAsync()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{azurite.TablePort}/{Azurite.Account}/journal()?$top=1");
        using var response = await SendTableAsync(request);
        response.EnsureSuccessStatusCode();
        return (await response.Content.ReadAsStringAsync()).Contains("\"value\":[]", StringComparison.Ordinal);
    }

    private async Task<HttpResponseMessage> SendTableAsync(HttpRequestMessage request)
    {
        // "Shared Key Lite" of the table service: date and path.
        var date = DateTimeOffset.UtcNow.ToString("R", CultureInfo.InvariantCulture);
        var signed = $"{date}\n/{Azurite.Account}{request.RequestUri!.AbsolutePath}";
        request.Headers.Add("x-ms-date", date);
        request.Headers.Add("x-ms-version", "2019-02-02");
        request.Headers.Add("Accept", "application/json;odata=nometadata");
        request.Headers.TryAddWithoutValidation("Authorization",
            $"SharedKeyLite {Azurite.Account}:{Convert.ToBase64String(
                HMACSHA256.HashData(Convert.FromBase64String(Azurite.Key), Encoding.UTF8.GetBytes(signed)))}");
        return await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }
}

/// <summary>Reads an answer away, the same for every side.</summary>
internal static class Drain
{
    public static async Task<long> Async(HttpResponseMessage response, byte[] buffer)
    {
        await using var body = await response.Content.ReadAsStreamAsync();
        long total = 0;
        for (int count; (count = await body.ReadAsync(buffer)) > 0;) total += count;
        return total;
    }
}
