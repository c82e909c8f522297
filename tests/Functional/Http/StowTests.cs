using DicomServerless.Dicom.Web;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using DicomServerless.Shared;

namespace DicomServerless.Functional.Http;

/// <summary>Store transaction (D1): statuses, the Store Instances Response Module, envelopes as senders write them.</summary>
public sealed class StowTests : IAsyncLifetime
{
    private const string Multipart = "multipart/related; type=\"application/dicom\"; boundary=b";
    private Server server = null!;

    public async ValueTask InitializeAsync() => server = await Server.StartAsync(("Http:MaxBodyBytes", "1048576"));

    public async ValueTask DisposeAsync() => await server.DisposeAsync();

    [Fact]
    public async Task All_stored_is_200_with_references_and_the_study_url()
    {
        using var response = await server.StoreAsync(Server.Image("1.2", "1.2.1", "1.2.1.1").ToFile(), Server.Image("1.2", "1.2.1", "1.2.1.2").ToFile());
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("application/dicom+json", response.Content.Headers.ContentType!.ToString());
        Assert.Equal(server.Base + "/studies/1.2", response.Content.Headers.ContentLocation!.ToString());
        var module = await Server.JsonAsync(response);
        Assert.Equal(server.Base + "/studies/1.2", Text(module, "00081190"));
        var items = module.GetProperty("00081199").GetProperty("Value").EnumerateArray().ToArray();
        Assert.Equal(["1.2.1.1", "1.2.1.2"], items.Select(item => Text(item, "00081155")));
        Assert.Equal("1.2.840.10008.5.1.4.1.1.7", Text(items[0], "00081150"));
        Assert.Equal(server.Base + "/studies/1.2/series/1.2.1/instances/1.2.1.1", Text(items[0], "00081190"));
        Assert.False(items[0].TryGetProperty("00081196", out _));
        Assert.False(module.TryGetProperty("00081198", out _));
        Assert.False(module.TryGetProperty("0008119A", out _));
    }

    [Fact]
    public async Task A_single_object_is_stored_as_application_dicom()
    {
        var file = Server.Image("1.3", "1.3.1", "1.3.1.1").ToFile();
        using var response = await server.PostAsync("/studies/1.3", "application/dicom", file);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        using var back = await server.GetAsync("/studies/1.3/series/1.3.1/instances/1.3.1.1", "application/dicom; transfer-syntax=*");
        Assert.Equal(file, await back.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task Several_studies_leave_the_study_url_empty()
    {
        var module = await Server.JsonAsync(await server.StoreAsync(Server.Image("1.4", "1.4.1", "1.4.1.1").ToFile(),
            Server.Image("1.5", "1.5.1", "1.5.1.1").ToFile()));
        Assert.Equal("{\"vr\":\"UR\"}", module.GetProperty("00081190").GetRawText());
    }

    [Fact]
    public async Task A_bad_part_between_good_ones_is_202_and_costs_no_neighbour()
    {
        using var response = await server.StoreAsync(Server.Image("1.6", "1.6.1", "1.6.1.1").ToFile(),
            "garbage"u8.ToArray(), [], Server.Image("1.6", "1.6.1", "1.6.1.2").ToFile()[..^5],
            Server.Image("1.6", "1.6.1", "1.6.1.3").ToFile());
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        var module = await Server.JsonAsync(response);
        Assert.Equal(["1.6.1.1", "1.6.1.3"], module.GetProperty("00081199").GetProperty("Value").EnumerateArray().Select(item => Text(item, "00081155")));
        Assert.Equal([0xC000, 0xC000], module.GetProperty("0008119A").GetProperty("Value").EnumerateArray().Select(item => Number(item, "00081197")));
        var named = Assert.Single(module.GetProperty("00081198").GetProperty("Value").EnumerateArray());
        Assert.Equal("1.6.1.2", Text(named, "00081155"));
        var warnings = response.Headers.GetValues("Warning").ToArray();
        Assert.Contains(warnings, warning => warning.StartsWith($"299 {server.Base}: Part 4: Element (7FE0,0010)", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Nothing_stored_is_409()
    {
        using var response = await server.StoreAsync("garbage"u8.ToArray());
        Assert.Equal(HttpStatusCode.Conflict, response.StatusCode);
        Assert.False((await Server.JsonAsync(response)).TryGetProperty("00081199", out _));
    }

    [Fact]
    public async Task Another_study_than_the_resource_s_fails_alone()
    {
        using var response = await server.StoreAtAsync("/studies/1.7",
            Server.Image("1.7", "1.7.1", "1.7.1.1").ToFile(), Server.Image("1.8", "1.8.1", "1.8.1.1").ToFile());
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        var failed = Assert.Single((await Server.JsonAsync(response)).GetProperty("00081198").GetProperty("Value").EnumerateArray());
        Assert.Equal("1.8.1.1", Text(failed, "00081155"));
        Assert.Equal(0xC409, Number(failed, "00081197"));
        using var other = await server.GetAsync("/studies/1.8");
        Assert.Equal(HttpStatusCode.NotFound, other.StatusCode);
    }

    [Fact]
    public async Task The_same_again_is_success_and_other_content_is_the_policy_s()
    {
        var first = Server.Image("1.9", "1.9.1", "1.9.1.1").ToFile();
        var second = Server.Image("1.9", "1.9.1", "1.9.1.1").Add(0x00104000, "LT", "other").ToFile();
        Assert.Equal(HttpStatusCode.OK, (await server.StoreAsync(first)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await server.StoreAsync(first)).StatusCode);

        using var rejected = await server.StoreAsync(second);
        Assert.Equal(HttpStatusCode.Conflict, rejected.StatusCode);
        Assert.Equal(0x0111, Number((await Server.JsonAsync(rejected)).GetProperty("00081198").GetProperty("Value")[0], "00081197"));

        using var kept = await server.PostAsync("/studies", "application/dicom", second, ("Duplicate-Policy", "keep-first"));
        Assert.Equal(HttpStatusCode.Accepted, kept.StatusCode);
        Assert.Equal(0xB111, Number((await Server.JsonAsync(kept)).GetProperty("00081199").GetProperty("Value")[0], "00081196"));
        Assert.Equal(first, await StoredAsync());

        using var replaced = await server.PostAsync("/studies", "application/dicom", second, ("Duplicate-Policy", "REPLACE"));
        Assert.Equal(HttpStatusCode.OK, replaced.StatusCode);
        Assert.Equal(second, await StoredAsync());

        await Server.AssertProblemAsync(HttpStatusCode.BadRequest,
            await server.PostAsync("/studies", "application/dicom", second, ("Duplicate-Policy", "newest")), "Duplicate-Policy");

        async Task<byte[]> StoredAsync() => await (await server.GetAsync("/studies/1.9/series/1.9.1/instances/1.9.1.1", "application/dicom; transfer-syntax=*"))
            .Content.ReadAsByteArrayAsync();
    }

    [Fact]
    public async Task Group_2_that_disagrees_is_stored_under_the_data_sets_uids_with_B007_and_words()
    {
        using var response = await server.StoreAsync(OtherInGroup2("1.10"));
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        var item = (await Server.JsonAsync(response)).GetProperty("00081199").GetProperty("Value")[0];
        Assert.Equal(("1.10.1.1", 0xB007), (Text(item, "00081155"), Number(item, "00081196")));
        Assert.Contains(response.Headers.GetValues("Warning"), warning =>
            warning.Contains("Part 1", StringComparison.Ordinal) && warning.Contains("(0002,0003)", StringComparison.Ordinal));
        using var back = await server.GetAsync("/studies/1.10/series/1.10.1/instances/1.10.1.1", "application/dicom; transfer-syntax=*");
        Assert.Equal(OtherInGroup2("1.10"), await back.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task Group_2_that_disagrees_is_A900_where_it_is_refused()
    {
        await using var strict = await Server.StartAsync(("Archive:FileMetaMismatch", "Refuse"));
        using var response = await strict.StoreAsync(OtherInGroup2("1.10"));
        Assert.Equal(HttpStatusCode.Conflict, response.StatusCode);
        Assert.Equal(0xA900, Number((await Server.JsonAsync(response)).GetProperty("00081198").GetProperty("Value")[0], "00081197"));
    }

    private static byte[] OtherInGroup2(string study)
    {
        var file = Server.Image(study, study + ".1", study + ".1.1").ToFile();
        var at = file.AsSpan().IndexOf(Encoding.ASCII.GetBytes(study + ".1.1")); // the first one is in group 2
        file[at + study.Length + 3] = (byte)'2';
        return file;
    }

    [Fact]
    public async Task A_doubtful_object_is_stored_with_B007()
    {
        var file = Server.Image("1.11", "1.11.1", "1.11.1.1").Add(0x7FE00010, "OW", new byte[10]).ToFile(); // 24 expected
        using var response = await server.StoreAsync(file);
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        Assert.Equal(0xB007, Number((await Server.JsonAsync(response)).GetProperty("00081199").GetProperty("Value")[0], "00081196"));
    }

    // Where other servers answer 200 with an empty list and have stored nothing.
    [Theory]
    [InlineData(Multipart, "", 400)]
    [InlineData(Multipart, "--b--\r\n", 400)]
    [InlineData(Multipart, "--c\r\n\r\n{file}\r\n--c--\r\n", 400)]
    [InlineData(Multipart, "--b\r\n\r\n{file}", 409)]                                     // not closed: refused
    [InlineData(Multipart, "--b\n\n{file}\n--b--\n", 200)]                                // LF only
    [InlineData(Multipart, "--b\r\n\r\n{file}\r\n--b--\r\n", 200)]                        // no Content-Type
    [InlineData(Multipart, "--b\r\nContent-Type: application/dicom;transfer-syntax=1.2.840.10008.1.2.1\r\n\r\n{file}\r\n--b--\r\n", 200)]
    [InlineData(Multipart, "--b\r\nContent-Type: text/plain\r\n\r\n{file}\r\n--b--\r\n", 409)]
    [InlineData("multipart/related; type=application/dicom; boundary=\"b\"", "hello\r\n--b\r\n\r\n{file}\r\n--b--\r\nbye", 200)]
    [InlineData("Multipart/Related; Boundary=b; transfer-syntax=1.2.840.10008.1.2.1; Type=\"Application/DICOM\"", "--b\r\n\r\n{file}\r\n--b--", 200)]
    [InlineData("multipart/related; boundary=b", "--b\r\n\r\n{file}\r\n--b--", 200)]
    [InlineData("multipart/related; type=\"application/dicom\"", "--b\r\n\r\n{file}\r\n--b--", 400)]
    [InlineData("application/dicom", "", 400)]
    [InlineData("application/dicom", "x", 409)]
    [InlineData("multipart/related; type=\"application/dicom+json\"; boundary=b", "--b\r\n\r\n{file}\r\n--b--", 400)] // bulk data without metadata
    [InlineData("multipart/related; type=\"application/dicom+json\"; boundary=b", "--b\r\nContent-Type: application/dicom\r\n\r\n{file}\r\n--b--", 200)]
    [InlineData("multipart/related; type=\"image/png\"; boundary=b", "--b\r\n\r\n{file}\r\n--b--", 415)]
    [InlineData("multipart/form-data; boundary=b", "--b\r\n\r\n{file}\r\n--b--", 415)]
    [InlineData("application/dicom+json", "[]", 400)]
    [InlineData("application/dicom+json", "[", 409)]
    [InlineData("application/dicom+xml", "<a/>", 409)]
    [InlineData("application/json", "[]", 415)]
    [InlineData(null, "{file}", 415)]
    public async Task An_envelope_is_taken_or_refused_never_lost(string? contentType, string body, int status)
    {
        var file = Server.Image("1.12", "1.12.1", "1.12.1.1").ToFile();
        var halves = body.Split("{file}");
        byte[] bytes = [.. Encoding.Latin1.GetBytes(halves[0]), .. halves.Length > 1 ? file : [],
            .. Encoding.Latin1.GetBytes(halves.Length > 1 ? halves[1] : "")];
        using var response = await server.PostAsync("/studies", contentType, bytes);
        Assert.Equal(status, (int)response.StatusCode);
        if (status is 400 or 415) await Server.AssertProblemAsync(response.StatusCode, response);
        using var stored = await server.GetAsync("/studies/1.12/series/1.12.1/instances/1.12.1.1", "application/dicom; transfer-syntax=*");
        Assert.Equal(status == 200 ? HttpStatusCode.OK : HttpStatusCode.NotFound, stored.StatusCode);
        if (status == 200) Assert.Equal(file, await stored.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task Parts_before_one_that_is_cut_off_are_stored()
    {
        byte[] body = [.. "--b\r\n\r\n"u8, .. Server.Image("1.13", "1.13.1", "1.13.1.1").ToFile(),
            .. "\r\n--b\r\n\r\n"u8, .. Server.Image("1.13", "1.13.1", "1.13.1.2").ToFile()];
        using var response = await server.PostAsync("/studies", Multipart, body);
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        Assert.Equal("1.13.1.1", Text((await Server.JsonAsync(response)).GetProperty("00081199").GetProperty("Value")[0], "00081155"));
    }

    [Fact]
    public async Task What_was_received_before_the_client_left_is_stored()
    {
        using (var socket = new Socket(SocketType.Stream, ProtocolType.Tcp))
        {
            await socket.ConnectAsync("127.0.0.1", new Uri(server.Url).Port);
            byte[] part = [.. "--b\r\n\r\n"u8, .. Server.Image("1.14", "1.14.1", "1.14.1.1").ToFile(), .. "\r\n--b\r\n\r\nhalf"u8];
            await socket.SendAsync(
                Encoding.ASCII.GetBytes($"POST /dicomweb/studies HTTP/1.1\r\nHost: x\r\nContent-Type: {Multipart}\r\nContent-Length: 100000\r\n\r\n"));
            await socket.SendAsync(part);
            await StoredAsync();
        }
        await EventuallyAsync(async () => (await server.GetAsync("/studies?StudyInstanceUID=1.14")).StatusCode == HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_body_that_is_too_large_is_413_before_it_is_read()
    {
        using var response = await server.PostAsync("/studies", "application/dicom", new byte[1_048_577]);
        await Server.AssertProblemAsync(HttpStatusCode.RequestEntityTooLarge, response, "1048576");
    }

    [Fact]
    public async Task A_chunked_body_that_grows_too_large_is_413_and_says_what_was_stored()
    {
        byte[] first = [.. "--b\r\n\r\n"u8, .. Server.Image("1.15", "1.15.1", "1.15.1.1").ToFile(), .. "\r\n--b\r\n\r\n"u8];
        using var request = new HttpRequestMessage(HttpMethod.Post, "/dicomweb/studies") { Content = new SlowContent(async body =>
        {
            await body.WriteAsync(first);
            await body.FlushAsync();
            await StoredAsync();
            await body.WriteAsync(new byte[1_100_000]);
        }) };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", Multipart);
        request.Headers.TransferEncodingChunked = true;
        using var response = await server.Client.SendAsync(request);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
        using var stored = await server.GetAsync("/studies/1.15");
        Assert.Equal(HttpStatusCode.OK, stored.StatusCode);
    }

    [Fact]
    public async Task What_cannot_be_answered_is_406_and_stores_nothing()
    {
        var file = Server.Image("1.16", "1.16.1", "1.16.1.1").ToFile();
        await Server.AssertProblemAsync(HttpStatusCode.NotAcceptable, await server.PostAsync("/studies", "application/dicom", file, ("Accept", "image/png")));
        Assert.Equal(HttpStatusCode.NotFound, (await server.GetAsync("/studies/1.16")).StatusCode);
    }

    [Fact]
    public async Task Sixteen_at_once_are_one_object()
    {
        var file = Server.Image("1.17", "1.17.1", "1.17.1.1").ToFile();
        var answers = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => server.StoreAsync(file)));
        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.OK, answer.StatusCode));
        var study = (await Server.JsonAsync(await server.GetAsync("/studies?StudyInstanceUID=1.17")))[0];
        Assert.Equal(1, Number(study, "00201208"));
    }

    [Fact]
    public async Task Failures_hold_no_values()
    {
        var file = Server.Image("1.18", "1.18.1", "1.18.1.1").ToFile()[..^5];
        using var response = await server.StoreAsync(file);
        var text = response.Headers + await response.Content.ReadAsStringAsync();
        Assert.DoesNotContain("SMITH", text);
        Assert.DoesNotContain("P1", text);
    }

    // An object must be stored while the next one is still on its way.
    private Task StoredAsync() => EventuallyAsync(() => Task.FromResult(server.World.Dicom.Blobs.Count > 0));

    private sealed class SlowContent(Func<Stream, Task> write) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => write(stream);

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }

    private static async Task EventuallyAsync(Func<Task<bool>> isTrue)
    {
        for (var end = DateTime.UtcNow.AddSeconds(60); DateTime.UtcNow < end;)
        {
            if (await isTrue()) return;
            await Task.Delay(25);
        }
        Assert.Fail("It did not happen within a minute.");
    }

    private static string Text(JsonElement item, string tag) => item.GetProperty(tag).GetProperty("Value")[0].GetString()!;

    private static int Number(JsonElement item, string tag) => item.GetProperty(tag).GetProperty("Value")[0].GetInt32();
}
