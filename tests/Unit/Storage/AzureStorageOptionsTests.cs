using DicomServerless.Storage.Azure;

namespace DicomServerless.Unit.Storage;

public sealed class AzureStorageOptionsTests
{
    private static StorageEndpoints From(params (string Key, string Value)[] settings) =>
        StorageEndpoints.From(AzureStorageOptions.Read("DataStorage", key => settings.FirstOrDefault(setting => setting.Key == key).Value));

    [Fact]
    public void The_development_storage_is_the_emulator_on_its_ports()
    {
        var found = From(("DataStorage", "UseDevelopmentStorage=true"));
        Assert.Equal(("http://127.0.0.1:10000/devstoreaccount1", "http://127.0.0.1:10001/devstoreaccount1", "http://127.0.0.1:10002/devstoreaccount1"),
            (found.Blob!.ToString(), found.Queue!.ToString(), found.Table!.ToString()));
        Assert.Equal("devstoreaccount1", found.AccountName);
    }

    [Fact]
    public void A_connection_string_gives_the_addresses_that_it_leaves_out()
    {
        var found = From(("DataStorage", "DefaultEndpointsProtocol=https;AccountName=acme;AccountKey=a2V5PQ==;"
            + "EndpointSuffix=core.chinacloudapi.cn;TableEndpoint=http://10.0.0.1:10002/acme/"));
        Assert.Equal(("https://acme.blob.core.chinacloudapi.cn/", "http://10.0.0.1:10002/acme", "a2V5PQ=="),
            (found.Blob!.ToString(), found.Table!.ToString(), found.AccountKey));
    }

    [Fact]
    public void A_signature_keeps_its_equals_signs_and_loses_its_question_mark()
    {
        var found = From(("DataStorage", "BlobEndpoint=https://a.blob.core.windows.net;SharedAccessSignature=?sv=2020-12-06&sig=x%3D"));
        Assert.Equal("sv=2020-12-06&sig=x%3D", found.Signature);
        Assert.Contains("DataStorage__tableServiceUri", Assert.Throws<StorageOptionsException>(() => found.Require(found.Table, "table")).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Service_addresses_go_with_an_identity()
    {
        var found = From(("DataStorage:blobServiceUri", "https://a.blob.core.windows.net/"),
            ("DataStorage:tableServiceUri", "https://a.table.core.windows.net"),
            ("DataStorage:credential", "managedidentity"), ("DataStorage:clientId", "00000000-0000-0000-0000-000000000001"));
        Assert.Equal("https://a.blob.core.windows.net/", found.Blob!.ToString());
        Assert.IsType<global::Azure.Identity.ManagedIdentityCredential>(found.Identity);
        Assert.IsType<global::Azure.Identity.DefaultAzureCredential>(From(("DataStorage:accountName", "acme")).Identity);
        Assert.Equal("https://acme.queue.core.windows.net/", From(("DataStorage:accountName", "acme")).Queue!.ToString());
    }

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
    public void What_cannot_work_is_refused_with_the_setting_and_without_the_secret(string key, string value, string expected)
    {
        var message = Assert.Throws<StorageOptionsException>(() => From((key, value))).Message;
        Assert.StartsWith("DataStorage", message, StringComparison.Ordinal);
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.DoesNotContain("a2V5", message, StringComparison.Ordinal);
    }
}
