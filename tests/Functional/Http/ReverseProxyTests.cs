using System.Net.Http.Headers;
using System.Text.Json;
using DicomServerless.Shared;

namespace DicomServerless.Functional.Http;

/// <summary>Behind nginx, below a path prefix and under another host name: every URL of ours leads back through it.</summary>
public sealed class ReverseProxyTests
{
    private const string Host = "pacs.example.org", Root = "http://" + Host + "/dicom";

    [Theory]
    [InlineData(true)]  // the proxy takes the prefix away and says so in X-Forwarded-Prefix
    [InlineData(false)] // the proxy leaves it, and Http:PathBase knows it
    public async Task Urls_carry_the_prefix_and_the_name_that_clients_see(bool strips)
    {
        if (!Peers.Require("/usr/sbin/nginx")) return;
        var viewer = Directory.CreateTempSubdirectory("viewer-");
        foreach (var (name, text) in new[] { ("viewer.version", "test"), ("index.html", "{{base}}"), ("app-config.js", "{{dicomweb}}") })
            await File.WriteAllTextAsync(Path.Combine(viewer.FullName, name), text);
        await using var server = await Server.StartAsync(("Http:PathBase", strips ? "" : "/dicom"), ("Viewer:Path", viewer.FullName));
        using var nginx = await Nginx.StartAsync(server.Url, strips);
        using var client = new HttpClient { BaseAddress = new Uri(nginx.Url), DefaultRequestHeaders = { Host = Host } };

        using var content = new ByteArrayContent(TestObject.Of("1.2", "1.2.3", "1.2.3.4").Add(0x00420011, "OB", new byte[4000]).ToFile())
            { Headers = { ContentType = new MediaTypeHeaderValue("application/dicom") } };
        using var stored = await client.PostAsync("/dicom/dicomweb/studies", content);
        Assert.Equal(Root + "/dicomweb/studies/1.2", stored.Headers.Location!.ToString());
        Assert.Equal(Root + "/dicomweb/studies/1.2", Value(JsonDocument.Parse(await stored.Content.ReadAsStringAsync()).RootElement, "00081190"));
        var found = JsonDocument.Parse(await client.GetStringAsync("/dicom/dicomweb/instances")).RootElement[0];
        Assert.Equal(Root + "/dicomweb/studies/1.2/series/1.2.3/instances/1.2.3.4", Value(found, "00081190"));
        using var unknown = await client.GetAsync("/dicom/dicomweb/studies?fuzzymatching=false&NoSuchAttribute=1");
        Assert.All(unknown.Headers.GetValues("Warning"), warning => Assert.StartsWith($"299 {Root}/dicomweb: ", warning, StringComparison.Ordinal));
        var metadata = JsonDocument.Parse(await client.GetStringAsync("/dicom/dicomweb/studies/1.2/metadata")).RootElement[0];
        var bulk = new Uri(metadata.GetProperty("00420011").GetProperty("BulkDataURI").GetString()!);
        Assert.StartsWith(Root + "/dicomweb/", bulk.ToString(), StringComparison.Ordinal);
        Assert.Equal(new byte[4000], await client.GetByteArrayAsync(bulk.PathAndQuery));
        var capabilities = await client.GetStringAsync("/dicom/dicomweb/capabilities");
        Assert.Contains($"base=\"{Root}/dicomweb\"", capabilities, StringComparison.Ordinal);
        Assert.Equal("/dicom/viewer/", await client.GetStringAsync("/dicom/viewer/"));
        Assert.Equal("/dicom/dicomweb", await client.GetStringAsync("/dicom/viewer/app-config.js"));
        viewer.Delete(recursive: true);
    }

    private static string? Value(JsonElement item, string tag) => item.GetProperty(tag).GetProperty("Value")[0].GetString();
}
