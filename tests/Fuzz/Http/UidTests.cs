using System.Net;
using System.Net.Sockets;
using System.Text;
using DicomServerless.Functional.Http;
using DicomServerless.Shared;

namespace DicomServerless.Fuzz.Http;

/// <summary>UIDs made to leave their place: none gets into the archive, and none in a path reaches another resource.</summary>
public sealed class UidTests(ITestOutputHelper output)
{
    private const string Study = "1.2.3", Series = "1.2.3.4", Sop = "1.2.3.4.5";

    private static readonly string[] Hostile =
    [
        "..", ".", "../1.2.3", "1.2.3/..", "1.2.3/../../1", "1.2/3", "\\", "1\\2.3", "1..2", ".1.2", "1.2.",
            new('1', 65), "1." + new string('2', 63), new('9', 5000), "1.2.3a", "-1.2", "+1", "1,2", "1.2 3",
        "1.2\n3", "1.2\0.3", "\u0661.\u0662", "\uFF11.\uFF12", "1.2.\u00B2", "1.2%2F3", "%2e%2e", "%2e%2e%2f1.2.3",
            "..%2f..%2f", "%252e%252e", "1.2.3%00", "1.2'3", "1.2\"3", "1.2#3", "1.2?3", "*", "1.2.*", "~", "$",
    ];

    [Fact]
    public async Task Objects_with_such_uids_are_refused_and_nothing_is_written()
    {
        await using var server = await Server.StartAsync();
        var refused = 0;
        foreach (var uid in Hostile.Where(uid => uid.Length < 60_000))
        {
            foreach (var file in (TestObject[])[Server.Image(uid, Series, Sop), Server.Image(Study, uid, Sop),
                Server.Image(Study, Series, uid), Server.Image(Study, Series, Sop).Add(0x00080016, "UI", uid)])
            {
                using var response = await server.StoreAsync(file.ToFile());
                // The padding of a UID is not part of it (PS3.5 9.1).
                Assert.True(response.StatusCode == HttpStatusCode.Conflict, $"{(int)response.StatusCode} for {uid}");
                refused++;
            }
        }
        Assert.Empty(server.World.Dicom.Blobs);
        Assert.Empty(server.World.Derived.Blobs);
        output.WriteLine($"{Hostile.Length} UIDs in four places: {refused} objects refused, no blob written");
    }

    [Fact]
    public async Task Such_uids_in_every_route_give_400_or_404_and_no_content()
    {
        await using var server = await Server.StartAsync();
        using (var stored = await server.StoreAsync(Server.Image(Study, Series, Sop).ToFile())) Assert.Equal(HttpStatusCode.OK, stored.StatusCode);
        var blobs = server.World.Dicom.Blobs.Count;
        string[] study = ["{0}", "{0}/series", "{0}/instances", "{0}/metadata",
            $"{{0}}/series/{Series}", $"{{0}}/series/{Series}/instances", $"{{0}}/series/{Series}/metadata"];
        string[] series = ["{0}", "{0}/instances", "{0}/metadata", $"{{0}}/instances/{Sop}"];
        string[] instance = ["{0}", "{0}/metadata", "{0}/frames/1", "{0}/bulkdata/7FE00010"];
        var routes = study.Select(route => "/studies/" + route).Concat(series.Select(route => $"/studies/{Study}/series/" + route))
            .Concat(instance.Select(route => $"/studies/{Study}/series/{Series}/instances/" + route)).ToList();
        var tally = new SortedDictionary<int, int>();
        foreach (var uid in Hostile)
        {
            // As it stands where a request line can hold it, and encoded, dots too.
            var raw = uid.All(c => c is > ' ' and < '\x7f' and not '#' and not '?') ? uid : null;
            foreach (var text in new[] { raw, Uri.EscapeDataString(uid),
                Uri.EscapeDataString(uid).Replace(".", "%2E", StringComparison.Ordinal) }.OfType<string>().Distinct())
            {
                foreach (var route in routes)
                {
                    foreach (var method in (string[])["GET", "DELETE", "POST"])
                    {
                        var target = "/dicomweb" + string.Format(System.Globalization.CultureInfo.InvariantCulture, route, text);
                        if (LeadsElsewhere(target)) continue;
                        var (status, body) = await SendAsync(server, method, target);
                        tally[status] = tally.GetValueOrDefault(status) + 1;
                        Assert.True(status is 400 or 404 or 405 or 415, $"{status} for {method} {target}: {body}");
                        Assert.DoesNotContain("SMITH", body, StringComparison.Ordinal);
                    }
                }
            }
        }
        Assert.Equal(blobs, server.World.Dicom.Blobs.Count);
        using var there = await server.GetAsync($"/studies/{Study}");
        Assert.Equal(HttpStatusCode.OK, there.StatusCode);
        output.WriteLine($"{routes.Count} routes, {Hostile.Length} UIDs as they stand and encoded, three methods: "
            + $"{string.Join(", ", tally.Select(status => $"{status.Key}: {status.Value}"))}");
    }

    // Dot segments are removed before routing (RFC 3986 5.2.4): what is left may be another, valid address, and its owner answers it.
    private static bool LeadsElsewhere(string target)
    {
        var path = new Uri("http://host" + target).AbsolutePath;
        return path != target && path.Split('/').Skip(2).All(segment =>
            segment is "studies" or "series" or "instances" or "metadata" or "frames" or "bulkdata" or "" or "1" or "7FE00010" || Dicom.Uid.IsValid(segment));
    }

    // Byte by byte, because clients tidy addresses.
    private static async Task<(int Status, string Body)> SendAsync(Server server, string method, string target)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        var address = new Uri(server.Url);
        using var client = new TcpClient();
        await client.ConnectAsync(address.Host, address.Port, timeout.Token);
        var stream = client.GetStream();
        await stream.WriteAsync(
            Encoding.Latin1.GetBytes($"{method} {target} HTTP/1.1\r\nHost: {address.Authority}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
            timeout.Token);
        using var reader = new StreamReader(stream, Encoding.Latin1);
        var text = await reader.ReadToEndAsync(timeout.Token);
        return (int.Parse(text.AsSpan(9, 3), System.Globalization.CultureInfo.InvariantCulture), text);
    }
}
