using DicomServerless.Storage.Azure;

namespace DicomServerless.Unit.Storage;

public sealed class AzureStorageOptionsTests
{
    private static AzureStorageAccount From(params (string Key, string Value)[] settings) =>
        new(AzureStorageOptions.Read("DataStorage", key => settings.FirstOrDefault(setting => setting.Key == key).Value));

    [Fact]
    public void The_development_storage_is_the_emulator_on_its_ports()
    {
        var found = From(("DataStorage", "UseDevelopmentStorage=true"));
        Assert.Equal(("http://127.0.0.1:10000/devstoreaccount1", "http://127.0.0.1:10001/devstoreaccount1", "http://127.0.0.1:10002/devstoreaccount1"),
            (Text(found.Blobs.Uri), Text(found.Queues.Uri), Text(found.Tables.Uri)));
    }

    [Fact]
    public void A_connection_string_gives_the_addresses_that_it_leaves_out()
    {
        var found = From(("DataStorage", "DefaultEndpointsProtocol=https;AccountName=acme;AccountKey=a2V5PQ==;"
            + "EndpointSuffix=core.chinacloudapi.cn;TableEndpoint=http://10.0.0.1:10002/acme/"));
        Assert.Equal(("https://acme.blob.core.chinacloudapi.cn", "http://10.0.0.1:10002/acme"), (Text(found.Blobs.Uri), Text(found.Tables.Uri)));
    }

    [Fact]
    public void A_service_without_an_address_is_named_when_it_is_needed()
    {
        var found = From(("DataStorage", "BlobEndpoint=https://a.blob.core.windows.net;SharedAccessSignature=?sv=2020-12-06&sig=x%3D"));
        Assert.Contains("DataStorage__tableServiceUri", Assert.Throws<StorageOptionsException>(() => found.Table("rows")).Message, StringComparison.Ordinal);
        var identity = From(("DataStorage:blobServiceUri", "https://a.blob.core.windows.net/"));
        Assert.Contains("DataStorage__queueServiceUri", Assert.Throws<StorageOptionsException>(() => identity.EventQueue("q")).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_signature_signs_no_other()
    {
        var found = From(("DataStorage", "BlobEndpoint=https://a.blob.core.windows.net;SharedAccessSignature=sv=2020-12-06&sig=x%3D"));
        Assert.Null(await found.WriteUrlAsync("uploads", "b", DateTimeOffset.UnixEpoch, default));
    }

    [Fact]
    public void Service_addresses_go_with_an_identity()
    {
        var found = From(("DataStorage:blobServiceUri", "https://a.blob.core.windows.net/"),
            ("DataStorage:tableServiceUri", "https://a.table.core.windows.net"),
            ("DataStorage:credential", "managedidentity"), ("DataStorage:clientId", "00000000-0000-0000-0000-000000000001"));
        Assert.Equal("https://a.blob.core.windows.net", Text(found.Blobs.Uri));
        Assert.IsType<global::Azure.Identity.ManagedIdentityCredential>(found.Credential);
        Assert.IsType<global::Azure.Identity.DefaultAzureCredential>(From(("DataStorage:accountName", "acme")).Credential);
        Assert.Equal("https://acme.queue.core.windows.net", Text(From(("DataStorage:accountName", "acme")).Queues.Uri));
    }

    private static string Text(Uri address) => address.ToString().TrimEnd('/');

    [Theory]
    [InlineData("DataStorage", "", "DataStorage__blobServiceUri")]
    [InlineData("DataStorage", "AccountName=a", "AccountKey")]
    [InlineData("DataStorage", "AccountKey=a2V5", "AccountName")]
    [InlineData("DataStorage", "AccountName=a;AccountKey=not base64!", "base64")]
    [InlineData("DataStorage", "nonsense", "Name=Value")]
    [InlineData("DataStorage", "UseDevelopmentStorage=false", "UseDevelopmentStorage")]
    [InlineData("DataStorage", "AccountName=a;AccountKey=a2V5;BlobEndpoint=ftp://x", "BlobEndpoint")]
    [InlineData("DataStorage:blobServiceUri", "a.blob.core.windows.net", "DataStorage__blobServiceUri")]
    [InlineData("DataStorage:blobServiceUri", "http://a.blob.core.windows.net", "https")]
    [InlineData("DataStorage:credential", "password", "DataStorage__credential")]
    [InlineData("DataStorage:accountName", "my account", "lower-case letters and digits")]
    [InlineData("DataStorage:blobServiceUri", "https://a.blob.core.windows.net/?sv=1&sig=a2V5", "has a query")]
    [InlineData("DataStorage:blobServiceUri", "http://a2V5@a.blob.core.windows.net/", "has a query or a user")]
    public void What_cannot_work_is_refused_with_the_setting_and_without_the_secret(string key, string value, string expected)
    {
        var message = Assert.Throws<StorageOptionsException>(() => From((key, value))).Message;
        Assert.StartsWith("DataStorage", message, StringComparison.Ordinal);
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.DoesNotContain("a2V5", message, StringComparison.Ordinal);
    }
}
