using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Text;
using DicomServerless.Functions.Hosting;
using DicomServerless.Shared;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace DicomServerless.Functional.Http;

/// <summary>What clients do that is odd or wrong: it is served where its meaning is clear, and is 4xx otherwise; never a 5xx.</summary>
public sealed class ClientFaultTests : IAsyncLifetime
{
    private const string Instance = "/studies/1.2/series/1.2.1/instances/1.2.1.1";
    private Server server = null!;

    public async ValueTask InitializeAsync()
    {
        server = await Server.StartAsync();
        using var stored = await server.StoreAsync(Server.Image("1.2", "1.2.1", "1.2.1.1").ToFile());
        Assert.Equal(HttpStatusCode.OK, stored.StatusCode);
    }

    public async ValueTask DisposeAsync() => await server.DisposeAsync();

    // RFC 9112 7.1: a chunk's size is a number; one of 2^64 - 1 is the client's mistake and no failure of storage.
    [Theory]
    [InlineData("Transfer-Encoding: chunked\r\n", "FFFFFFFFFFFFFFFF\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n", "FFFFFFFFFFFFFFFFFFFF\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n", "no number\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n", "5\r\n--b\r\nmore than it said\r\n")]
    [InlineData("Content-Length: -1\r\n", "--b\r\n")]
    [InlineData("Content-Length: 5\r\nContent-Length: 6\r\n", "--b\r\n")]
    [InlineData("Content-Length: 99999999999999999999\r\n", "--b\r\n")]
    public async Task A_body_whose_length_is_a_lie_is_400_or_413(string length, string body)
    {
        var answer = await SendRawAsync($"POST /dicomweb/studies HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/related; type=\"application/dicom\"; "
            + $"boundary=b\r\nConnection: close\r\n{length}\r\n{body}");
        Assert.Contains(answer.Split(' ')[1], new[] { "400", "413" });
    }

    [Theory]
    [InlineData("PUT /dicomweb/uploads/0123456789abcdef0123456789abcdef/blocks/0")]
    [InlineData("POST /dicomweb/uploads/0123456789abcdef0123456789abcdef/complete")]
    [InlineData("POST /dicomweb/commitment-requests/1.2")]
    public async Task Every_body_that_is_no_http_is_the_clients_fault(string request)
    {
        var answer = await SendRawAsync($"{request} HTTP/1.1\r\nHost: x\r\nContent-Type: application/dicom+json\r\nConnection: "
            + $"close\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n");
        Assert.Contains(answer.Split(' ')[1], new[] { "400", "413", "501" }); // 501: these stores have no uploads
    }

    [Theory]
    [InlineData("/dicomweb//studies?limit=1")]
    [InlineData("//dicomweb/studies?limit=1")]
    [InlineData("/dicomweb/studies/?limit=1")]
    [InlineData("/dicomweb//studies//1.2//series")]
    [InlineData("/dicomweb/studies/1.2/metadata/")]
    public async Task A_slash_too_many_means_nothing(string path)
    {
        var answer = await SendRawAsync($"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 200", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Urls_of_a_hundred_thousand_characters_are_served_and_longer_ones_are_414()
    {
        var studies = string.Join(',', Enumerable.Range(0, 1600).Select(i => $"1.2.840.99999.{i}.123456789012345678901234567890123456789012")) + ",1.2";
        Assert.InRange(studies.Length, 90_000, 120_000);
        using var found = await server.GetAsync("/studies?StudyInstanceUID=" + studies);
        Assert.Equal(HttpStatusCode.OK, found.StatusCode);
        Assert.Equal(1, (await Server.JsonAsync(found)).GetArrayLength());
        using var tooLong = await server.GetAsync("/studies?StudyInstanceUID=" + studies + "," + studies);
        Assert.Equal(HttpStatusCode.RequestUriTooLong, tooLong.StatusCode);
    }

    [Theory]
    [InlineData("1W/{0}")]
    [InlineData("garbage {0}")]
    [InlineData("{0}x")]
    public async Task What_is_no_entity_tag_makes_no_304(string form)
    {
        using var first = await server.GetAsync(Instance + "/metadata");
        var etag = first.Headers.ETag!.ToString();
        using var second = await server.GetAsync(Instance + "/metadata", null,
            ("If-None-Match", string.Format(System.Globalization.CultureInfo.InvariantCulture, form, etag)));
        Assert.Equal(HttpStatusCode.OK, second.StatusCode);
        using var third = await server.GetAsync(Instance + "/metadata", null, ("If-None-Match", $"\"other\", {etag}"));
        Assert.Equal(HttpStatusCode.NotModified, third.StatusCode);
    }

    [Theory]
    [InlineData(Instance)]
    [InlineData(Instance + "/metadata")]
    [InlineData(Instance + "/frames/1")]
    public async Task A_type_of_parts_that_is_no_media_type_is_406(string path) =>
        await Server.AssertProblemAsync(HttpStatusCode.NotAcceptable, await server.GetAsync(path, "multipart/related; type=\"nope\""));

    [Fact]
    public async Task Blanks_at_the_end_of_a_key_mean_nothing()
    {
        foreach (var key in new[] { "PatientID=P1%20", "PatientID=%20P1", "PatientName=SMITH%5EANNE%20", "AccessionNumber=%20" })
        {
            using var found = await server.GetAsync("/studies?" + key);
            Assert.Equal((key, HttpStatusCode.OK), (key, found.StatusCode));
        }
    }

    [Fact]
    public async Task A_private_creator_alone_restricts_nothing_and_says_so()
    {
        using var found = await server.GetAsync("/studies?00090010=NOSUCH");
        Assert.Equal(HttpStatusCode.OK, found.StatusCode);
        Assert.Contains(found.Headers.GetValues("Warning"), warning => warning.Contains("00090010", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_unknown_key_is_a_warning_or_400_by_option()
    {
        using var warned = await server.GetAsync("/studies?PatientNmae=X");
        Assert.Equal(HttpStatusCode.OK, warned.StatusCode);
        Assert.NotEmpty(warned.Headers.GetValues("Warning"));
        await using var strict = await Server.StartAsync(("Http:RefuseUnknownKeys", "true"));
        await Server.AssertProblemAsync(HttpStatusCode.BadRequest, await strict.GetAsync("/studies?PatientNmae=X"), "spelling");
        using var known = await strict.GetAsync("/studies?PatientName=X");
        Assert.Equal(HttpStatusCode.NoContent, known.StatusCode);
    }

    [Fact]
    public async Task The_root_takes_what_its_options_allow()
    {
        using var request = new HttpRequestMessage(HttpMethod.Options, "/dicomweb");
        using var options = await server.Client.SendAsync(request);
        Assert.Equal(["GET", "HEAD", "OPTIONS"], options.Content.Headers.Allow.Order(StringComparer.Ordinal));
        using var get = await server.GetAsync("");
        Assert.Equal((HttpStatusCode.OK, "application/vnd.sun.wadl+xml"), (get.StatusCode, get.Content.Headers.ContentType!.MediaType));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(7)]
    public async Task A_video_of_a_few_bytes_is_a_video_and_one_of_none_is_404(int length)
    {
        List<byte> pixels = [0xE0, 0x7F, 0x10, 0, (byte)'O', (byte)'B', 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE, 0xFF, 0, 0xE0, 0, 0, 0, 0];
        if (length > 0) pixels.AddRange([0xFE, 0xFF, 0, 0xE0, (byte)length, 0, 0, 0, .. new byte[length]]);
        pixels.AddRange([0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0]);
        var header = new TestObject { TransferSyntax = "1.2.840.10008.1.2.4.102" }.Add(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.77.1.4.1")
            .Add(0x00080018, "UI", "1.3.1.1").Add(0x0020000D, "UI", "1.3").Add(0x0020000E, "UI", "1.3.1");
        using var stored = await server.StoreAsync([.. header.ToFile(), .. pixels]);
        Assert.True((int)stored.StatusCode is 200 or 202);
        using var rendered = await server.GetAsync("/studies/1.3/series/1.3.1/instances/1.3.1.1/rendered");
        Assert.Equal(length == 0 ? HttpStatusCode.NotFound : HttpStatusCode.OK, rendered.StatusCode);
        if (length > 0) Assert.Equal(length, (await rendered.Content.ReadAsByteArrayAsync()).Length);
    }

    [Fact]
    public async Task Deflated_frames_are_never_taken_for_raw_pixels()
    {
        const string deflated = "1.2.840.10008.1.2.8.1"; // Deflated Image Frame Compression
        using var stored = await server.StoreAsync(RetrieveTests.Compressed("1.4", "1.4.1", "1.4.1.1", deflated));
        Assert.Equal(HttpStatusCode.OK, stored.StatusCode);
        const string frame = "/studies/1.4/series/1.4.1/instances/1.4.1.1/frames/1";
        await Server.AssertProblemAsync(HttpStatusCode.NotAcceptable,
            await server.GetAsync(frame, "multipart/related; type=\"application/octet-stream\""), deflated);
        foreach (var accept in new[] { "*/*", "multipart/related; type=\"application/octet-stream\"; transfer-syntax=*",
            "application/octet-stream; transfer-syntax=" + deflated })
        {
            using var given = await server.GetAsync(frame, accept);
            Assert.Equal(HttpStatusCode.OK, given.StatusCode);
            var type = given.Content.Headers.ContentType!.MediaType == "multipart/related"
                ? (await Server.PartsAsync(given)).Single().Headers : given.Content.Headers.ContentType.ToString();
            Assert.Contains("transfer-syntax=" + deflated, type, StringComparison.Ordinal);
        }
    }

    // Kestrel's own default cuts a body off that brings less than 240 bytes a second after five seconds; scanners pause while they encode.
    [Fact]
    public async Task A_body_may_pause_within_the_configured_time_and_is_cut_off_after_it()
    {
        await using var patient = await Server.StartAsync(("Http:SlowSeconds", "60"), ("Http:MinBytesPerSecond", "1000000"));
        Assert.StartsWith("HTTP/1.1 200", await StoreWithPauseAsync(patient, TimeSpan.FromSeconds(7)), StringComparison.Ordinal);
        await using var strict = await Server.StartAsync(("Http:SlowSeconds", "2"), ("Http:MinBytesPerSecond", "1000000"));
        Assert.StartsWith("HTTP/1.1 408", await StoreWithPauseAsync(strict, TimeSpan.FromSeconds(7)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Bytes_that_wait_to_be_sent_are_not_followed_by_a_problem(bool hasWritten)
    {
        // A multipart answer whose first read fails behind the header of its first part.
        var context = new DefaultHttpContext { RequestServices = new ServiceCollection().BuildServiceProvider() };
        var body = new MemoryStream();
        context.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(body));
        var aborted = new Lifetime();
        context.Features.Set<IHttpRequestLifetimeFeature>(aborted);
        using var telemetry = new Telemetry();
        var envelope = new RequestEnvelope(current =>
        {
            if (hasWritten) current.Response.BodyWriter.Write("--b"u8);
            throw new IOException("No answer.");
        }, telemetry, TimeProvider.System, NullLogger<RequestEnvelope>.Instance);
        await envelope.InvokeAsync(context);
        Assert.Equal(hasWritten, aborted.IsAborted);
        Assert.Equal(hasWritten ? 200 : 503, context.Response.StatusCode);
        Assert.Equal(hasWritten, body.Length == 0);
    }

    private sealed class Lifetime : IHttpRequestLifetimeFeature
    {
        public bool IsAborted { get; private set; }
        public CancellationToken RequestAborted { get; set; }
        public void Abort() => IsAborted = true;
    }

    [Theory]
    [InlineData(409, "BlobArchived", 409, "archive tier")]
    [InlineData(409, "BlobImmutableDueToPolicy", 409, "immutability")]
    [InlineData(409, "LeaseIdMissing", 409, "lease")]
    [InlineData(403, "AuthorizationFailure", 503, "grant")]
    [InlineData(503, "ServerBusy", 503, "ask again")]
    public async Task What_storage_refuses_is_said_in_words(int status, string code, int answered, string words)
    {
        var isRefusing = false;
        await using var refusing = await Server.StartAsync(step: what =>
            isRefusing ? throw new Azure.RequestFailedException(status, "Refused.", code, null) : Task.CompletedTask);
        using var stored = await refusing.StoreAsync(Server.Image("1.6", "1.6.1", "1.6.1.1").ToFile());
        isRefusing = true;
        await Server.AssertProblemAsync((HttpStatusCode)answered, await refusing.GetAsync("/studies/1.6/series/1.6.1/instances/1.6.1.1/metadata"), words);
        isRefusing = false;
    }

    [Fact]
    public async Task More_requests_than_may_work_and_wait_are_503_and_health_still_answers()
    {
        var (gate, entered) = (new TaskCompletionSource(), new SemaphoreSlim(0));
        var isHeld = false;
        await using var small = await Server.StartAsync(step: async _ =>
        {
            if (!isHeld) return;
            entered.Release();
            await gate.Task;
        }, ("Http:MaxRequests", "1"), ("Http:MaxWaitingRequests", "1"));
        using (await small.GetAsync("/studies")) isHeld = true;
        var working = small.GetAsync("/studies?PatientID=A");
        await entered.WaitAsync();
        // Of three more one waits, whichever comes first; the others are refused at once.
        var others = new[] { "B", "C", "D" }.Select(id => small.GetAsync("/studies?PatientID=" + id)).ToList();
        for (var refused = 0; refused < 2; refused++)
        {
            var ended = await Task.WhenAny(others).WaitAsync(TimeSpan.FromSeconds(30));
            others.Remove(ended);
            await Server.AssertProblemAsync(HttpStatusCode.ServiceUnavailable, await ended, "ask again");
            Assert.NotNull((await ended).Headers.RetryAfter);
        }
        using (var live = await small.Client.GetAsync("/health/live")) Assert.Equal(HttpStatusCode.OK, live.StatusCode);
        isHeld = false;
        gate.SetResult();
        foreach (var task in new[] { working, others.Single() })
            using (var answer = await task) Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
    }

    private static async Task<string> StoreWithPauseAsync(Server target, TimeSpan pause)
    {
        byte[] body = [.. "--b\r\nContent-Type: application/dicom\r\n\r\n"u8, .. Server.Image("1.2", "1.2.1", "1.2.1.1").ToFile(), .. "\r\n--b--\r\n"u8];
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, new Uri(target.Url).Port);
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"POST /dicomweb/studies HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/related; "
            + $"type=\"application/dicom\"; boundary=b\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n"));
        await stream.WriteAsync(body.AsMemory(0, 100));
        await Task.Delay(pause); // the pause is what is tested
        try
        {
            await stream.WriteAsync(body.AsMemory(100));
        }
        catch (IOException)
        {
            // The answer came before.
        }
        return await ReadAsync(stream);
    }

    private async Task<string> SendRawAsync(string request)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, new Uri(server.Url).Port);
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(request));
        return await ReadAsync(stream);
    }

    private static async Task<string> ReadAsync(NetworkStream stream)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var received = new MemoryStream();
        var buffer = new byte[4096];
        try
        {
            for (int count; (count = await stream.ReadAsync(buffer, timeout.Token)) > 0;) received.Write(buffer, 0, count);
        }
        catch (IOException) when (received.Length > 0)
        {
            // It was reset behind its answer.
        }
        return Encoding.Latin1.GetString(received.ToArray());
    }
}
