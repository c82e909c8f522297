using System.Collections.Concurrent;
using DicomServerless.Dicom;
using DicomServerless.EdgeGateway.Forwarding;
using DicomServerless.EdgeGateway.Spooling;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using static DicomServerless.Functional.Gateway.ForwarderTests;
using static DicomServerless.Functional.Gateway.ScriptedServer;

namespace DicomServerless.Functional.Gateway;

/// <summary>Faults of a destination, and what the forwarder makes of them, against a server over real HTTP.</summary>
public sealed class ForwarderFaultTests
{
    [Theory]
    [InlineData("")]
    [InlineData("<!doctype html><title>Welcome to the proxy</title>")]
    [InlineData("{\"00081199\":{\"vr\":\"SQ\",\"Value\":[{\"00081155\":{\"vr\":\"UI\",\"Value\":[\"1.2.1\"")]
    public async Task A_200_that_is_no_answer_of_a_store_keeps_the_object_and_raises_the_alarm(string body)
    {
        await using var server = await StartAsync((_, context) =>
        {
            context.Response.ContentType = body.StartsWith('<') ? "text/html" : "application/dicom+json";
            return context.Response.WriteAsync(body);
        });
        await using var test = new TestSpool();
        await test.StoreAsync("1.2", "1.2.1");
        await using var forwarder = await ForwardAsync(test, server);
        await UntilAsync(() => forwarder.Status[0].Alarm is not null && server.Requests.Length >= 2);
        Assert.Equal((1, BatchOutcome.NotStow), (forwarder.Status[0].Waiting, forwarder.Status[0].LastErrorKind));
        Assert.Single(test.Files());
    }

    [Fact]
    public async Task A_200_whose_connection_breaks_within_the_answer_keeps_the_object()
    {
        await using var server = await StartAsync(async (_, context) =>
        {
            context.Response.ContentLength = 1000;
            await context.Response.WriteAsync("{\"00081199\":");
            context.Abort();
        });
        await using var test = new TestSpool();
        await test.StoreAsync("1.2", "1.2.1");
        await using var forwarder = await ForwardAsync(test, server);
        await UntilAsync(() => server.Requests.Length >= 2);
        Assert.Equal(BatchOutcome.Broken, forwarder.Status[0].LastErrorKind);
        Assert.Single(test.Files());
    }

    [Fact]
    public async Task After_failures_and_a_success_the_next_wait_is_about_a_second_and_all_requests_go_again()
    {
        var (failures, isHeld, inFlight) = (9, true, 0);
        var both = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await StartAsync(async (request, context) =>
        {
            if (Interlocked.Decrement(ref failures) >= 0)
            {
                context.Response.StatusCode = 503;
                return;
            }
            if (Volatile.Read(ref isHeld))
            {
                // The first success, and one failure after it; then nothing is answered before several requests are there.
                Volatile.Write(ref isHeld, false);
                Volatile.Write(ref failures, 1);
            }
            else
            {
                if (Interlocked.Increment(ref inFlight) >= 3) both.TrySetResult();
                await both.Task;
            }
            await AnswerAsync(context, request);
        });
        var log = new WaitsLog();
        await using var test = new TestSpool();
        for (var i = 1; i <= 8; i++) await test.StoreAsync($"1.{i}", $"1.{i}.1");
        await using var forwarder = Forwarder(test, log);
        await forwarder.ApplyAsync(new Dictionary<string, DestinationOptions> { ["archive"] = new() { Url = server.Url } });
        await EmptyAsync(test);
        Assert.True(log.Seconds[^2] > 1, string.Join(", ", log.Seconds));
        Assert.InRange(log.Seconds[^1], 0, 1);
    }

    [Fact]
    public async Task A_server_that_never_answers_uploads_stops_no_study()
    {
        var (asked, isDeaf) = (0, true);
        await using var server = await StartAsync((request, context) =>
            AnswerAsync(context, request), routes => routes.MapPost("/uploads", async (HttpContext context) =>
        {
            Interlocked.Increment(ref asked);
            if (Volatile.Read(ref isDeaf)) await Task.Delay(Timeout.Infinite, context.RequestAborted);
            context.Response.StatusCode = 404;
        }));
        await using var test = new TestSpool();
        for (var study = 1; study <= 4; study++)
        {
            await StoreLargeAsync(test, $"1.{study}", $"1.{study}.1");
            await test.StoreAsync($"1.{study}", $"1.{study}.2");
        }
        await using var forwarder = await ForwardAsync(test, server, options => options with { MaxBodyMiB = 1, TimeoutSeconds = 60 });
        await UntilAsync(() => test.Spool.Queue("archive").Count == 4 && Volatile.Read(ref asked) > 4);
        Assert.Equal(BatchOutcome.Broken, forwarder.Status[0].LastErrorKind);
        Volatile.Write(ref isDeaf, false);
        await EmptyAsync(test);
        Assert.Empty(test.Spool.Quarantine.List().Items);
    }

    // Whatever is wrong with its uploads, its stores work.
    [Theory]
    [InlineData(503, "", "3600")]
    [InlineData(403, "", null)]
    [InlineData(200, "<html></html>", null)]
    [InlineData(200, "[]", null)]
    [InlineData(200, "{\"id\":7}", null)]
    [InlineData(200, "{\"id\":\"a\",\"blockSize\":\"4\"}", null)]
    public async Task Uploads_that_fail_in_any_way_stop_no_store(int status, string body, string? retryAfter)
    {
        var asked = 0;
        await using var server = await StartAsync((request, context) => AnswerAsync(context, request), routes => routes.MapPost("/uploads", async context =>
        {
            Interlocked.Increment(ref asked);
            context.Response.StatusCode = status;
            if (retryAfter is not null) context.Response.Headers.RetryAfter = retryAfter;
            await context.Response.WriteAsync(body);
        }));
        await using var test = new TestSpool();
        for (var study = 1; study <= 4; study++) await StoreLargeAsync(test, $"1.{study}", $"1.{study}.1");
        await using var forwarder = await ForwardAsync(test, server, options => options with { MaxBodyMiB = 1 });
        await UntilAsync(() => Volatile.Read(ref asked) >= 1);
        for (var study = 1; study <= 4; study++)
            for (var i = 2; i <= 4; i++) await test.StoreAsync($"1.{study}", $"1.{study}.{i}");
        await UntilAsync(() => test.Spool.Queue("archive").Count == 4);
        Assert.Empty(test.Spool.Quarantine.List().Items);
    }

    // What waits shares one pace, however many objects it is; 404 is a destination without uploads, whose stores fail.
    [Theory]
    [InlineData(503)]
    [InlineData(500)]
    [InlineData(404)]
    public async Task A_destination_that_fails_while_only_large_objects_wait_is_left_alone_for_longer_and_longer(int status)
    {
        var (isWell, asked) = (false, 0);
        await using var server = await StartAsync(async (request, context) =>
        {
            if (Volatile.Read(ref isWell)) await AnswerAsync(context, request);
            else context.Response.StatusCode = 503;
        }, routes => routes.MapPost("/uploads", () =>
        {
            Interlocked.Increment(ref asked);
            return Results.StatusCode(Volatile.Read(ref isWell) ? 404 : status);
        }));
        var clock = new FastTime();
        await using var test = new TestSpool();
        for (var i = 1; i <= 24; i++) await StoreLargeAsync(test, $"1.{i % 6}", $"1.{i % 6}.{i}");
        await using var forwarder = await ForwardAsync(test, server, options => options with { MaxBodyMiB = 1 });
        var began = clock.GetTimestamp();
        await UntilAsync(() => clock.GetElapsedTime(began) > TimeSpan.FromMinutes(10));
        Assert.InRange(Volatile.Read(ref asked), 5, 30);
        Volatile.Write(ref isWell, true);
        await EmptyAsync(test);
        Assert.Empty(test.Spool.Quarantine.List().Items);
    }

    [Fact]
    public async Task A_destination_that_is_being_deployed_has_uploads_again_afterwards()
    {
        var (isDeployed, stores) = (false, 0);
        var uploads = new ConcurrentQueue<string>();
        await using var server = await StartAsync(async (request, context) =>
        {
            if (!Volatile.Read(ref isDeployed)) context.Response.StatusCode = Interlocked.Increment(ref stores) % 2 == 0 ? 413 : 404;
            else if (request.Sops.Contains("1.2.1")) context.Response.StatusCode = 413;
            else await AnswerAsync(context, request);
        }, routes =>
        {
            routes.MapPost("/uploads", () => Volatile.Read(ref isDeployed)
                ? Results.Text("{\"id\":\"a\",\"blockSize\":65536}", "application/json") : Results.NotFound());
            routes.MapPut("/uploads/a/blocks/{number}", (string number) => uploads.Enqueue(number));
            routes.MapPost("/uploads/a/complete", () =>
                Results.Text("{\"00081199\":{\"vr\":\"SQ\",\"Value\":[{\"00081155\":{\"vr\":\"UI\",\"Value\":[\"1.2.1\"]}}]}}", "application/dicom+json"));
        });
        await using var test = new TestSpool();
        await StoreLargeAsync(test, "1.2", "1.2.1");
        await test.StoreAsync("1.3", "1.3.1");
        await using var forwarder = await ForwardAsync(test, server, options => options with { MaxBodyMiB = 1 });
        await UntilAsync(() => Volatile.Read(ref stores) >= 6);
        Assert.Empty(test.Spool.Quarantine.List().Items);
        Volatile.Write(ref isDeployed, true);
        await EmptyAsync(test);
        Assert.NotEmpty(uploads);
        Assert.Empty(test.Spool.Quarantine.List().Items);
    }

    [Fact]
    public async Task A_destination_without_uploads_is_asked_for_them_again_only_after_minutes()
    {
        var asked = 0;
        await using var server = await StartAsync((request, context) => AnswerAsync(context, request), routes => routes.MapPost("/uploads", () =>
        {
            Interlocked.Increment(ref asked);
            return Results.NotFound();
        }));
        await using var test = new TestSpool();
        for (var i = 1; i <= 6; i++) await StoreLargeAsync(test, "1.2", $"1.2.{i}");
        await using var forwarder = await ForwardAsync(test, server, options => options with { MaxBodyMiB = 1 });
        await EmptyAsync(test);
        Assert.InRange(asked, 1, StudyQueue.MaxInFlight);
    }

    [Fact]
    public async Task A_minute_of_0110_for_a_part_of_each_request_puts_nothing_into_quarantine()
    {
        var isWell = false;
        await using var server = await StartAsync((request, context) =>
            AnswerAsync(context, request, sop => !Volatile.Read(ref isWell) && int.Parse(sop.Split('.')[2]) % 2 == 0 ? 0x0110 : null));
        var clock = new FastTime();
        await using var test = new TestSpool();
        for (var i = 1; i <= 40; i++) await test.StoreAsync($"1.{i % 4}", $"1.{i % 4}.{i}");
        await using var forwarder = await ForwardAsync(test, server);
        var began = clock.GetTimestamp();
        await UntilAsync(() => clock.GetElapsedTime(began) > TimeSpan.FromMinutes(1) && test.Spool.Queue("archive").Count <= 20);
        Volatile.Write(ref isWell, true);
        await EmptyAsync(test);
        Assert.Empty(test.Spool.Quarantine.List().Items);
    }

    [Theory]
    [InlineData(0xA700)]
    [InlineData(0x0110)]
    public async Task A_destination_that_fails_every_instance_for_now_is_left_alone_for_longer_and_longer(int reason)
    {
        var isWell = false;
        var clock = new FastTime();
        // 202: our own archive says 503 when it can take none; others answer for each instance.
        await using var server = await StartAsync((request, context) =>
            AnswerAsync(context, request, _ => Volatile.Read(ref isWell) ? null : reason, Volatile.Read(ref isWell) ? 200 : 202));
        await using var test = new TestSpool(time: clock);
        for (var i = 1; i <= 200; i++) await test.StoreAsync($"1.{i % 100}", $"1.{i % 100}.{i}");
        await using var forwarder = await ForwardAsync(test, server);
        var began = clock.GetTimestamp();
        await UntilAsync(() => clock.GetElapsedTime(began) > TimeSpan.FromMinutes(10));
        Assert.InRange(server.Requests.Length, 5, 30);
        Volatile.Write(ref isWell, true);
        await EmptyAsync(test);
        Assert.Empty(test.Spool.Quarantine.List().Items);
    }

    [Fact]
    public async Task Only_the_request_after_one_that_was_too_large_asks_before_it_sends()
    {
        var asked = new ConcurrentQueue<bool>();
        await using var server = await StartAsync(async (request, context) =>
        {
            asked.Enqueue(context.Request.Headers.ContainsKey("Expect"));
            if (request.Objects.Length > 8) context.Response.StatusCode = 413;
            else await AnswerAsync(context, request);
        });
        await using var test = new TestSpool();
        for (var i = 1; i <= 16; i++) await test.StoreAsync("1.2", $"1.2.{i}");
        await using var forwarder = await ForwardAsync(test, server, options => options with { Parallelism = 1 });
        await EmptyAsync(test);
        for (var i = 17; i <= 20; i++)
        {
            await test.StoreAsync("1.2", $"1.2.{i}");
            await EmptyAsync(test);
        }
        Assert.False(asked.First());
        Assert.Contains(true, asked);
        Assert.All(asked.TakeLast(4), Assert.False);
    }

    [Fact]
    public async Task A_file_that_cannot_be_read_stops_nobody_and_is_sent_when_it_can_be()
    {
        await using var server = await StartAsync((request, context) => AnswerAsync(context, request));
        await using var test = new TestSpool();
        for (var i = 1; i <= 3; i++) await test.StoreAsync("1.2", $"1.2.{i}");
        await test.StoreAsync("1.3", "1.3.1");
        // Root may read everything, so the fault is a file that leads to a folder: opening it is refused as one without permission is. The file comes back by
        // one rename, since a moment without any would be that of an operator who has removed it.
        var entry = test.Spool.Waiting("archive", "1.2")[0];
        // As a commit does; of an object that is not known, the others of the study might be newer versions.
        entry.Describe(new ObjectDescription(new InstanceKey(Uid.Parse("1.2"), Uid.Parse("1.2.1"), Uid.Parse("1.2.1")), default, default, "",
            new PatientKey("", "")));
        var path = entry.Path;
        File.Move(path, path + ".away");
        Directory.CreateDirectory(path + ".folder");
        File.CreateSymbolicLink(path, path + ".folder");
        await using var forwarder = await ForwardAsync(test, server);
        await UntilAsync(() => test.Spool.Queue("archive").Count == 1 && forwarder.Status[0].Alarm is not null);
        Assert.Empty(test.Spool.Quarantine.List().Items);
        File.Move(path + ".away", path, overwrite: true);
        await EmptyAsync(test);
        Assert.Contains(server.Requests, request => request.Sops.Contains("1.2.1"));
        await UntilAsync(() => forwarder.Status[0].Alarm is null);
    }

    [Fact]
    public async Task A_certificate_that_cannot_be_used_refuses_the_change_and_the_old_destinations_go_on()
    {
        await using var server = await StartAsync((request, context) => AnswerAsync(context, request));
        await using var test = new TestSpool();
        var bad = Path.GetTempFileName();
        await File.WriteAllTextAsync(bad, "-----BEGIN NOTHING-----");
        var good = new DestinationOptions { Url = server.Url };
        await using var forwarder = Forwarder(test);
        Assert.Empty(await forwarder.ApplyAsync(new Dictionary<string, DestinationOptions> { ["archive"] = good, ["other"] = good }));
        for (var i = 1; i <= 2; i++)
        {
            var problems = await forwarder.ApplyAsync(new Dictionary<string, DestinationOptions>
                { ["new"] = good, ["archive"] = good with { ClientCertificate = bad } });
            Assert.Contains("Gateway:Destinations:archive", Assert.Single(problems), StringComparison.Ordinal);
            Assert.Equal(["archive", "other"], forwarder.Status.Select(status => status.Destination));
            await test.StoreAsync("1.2", $"1.2.{i}");
            await EmptyAsync(test);
        }
        File.Delete(bad);
        Assert.Empty(await forwarder.ApplyAsync(new Dictionary<string, DestinationOptions> { ["archive"] = good with { MaxBatchMiB = 1 } }));
        await test.StoreAsync("1.2", "1.2.9");
        await EmptyAsync(test);
    }

    private static async Task StoreLargeAsync(TestSpool test, string study, string sop)
    {
        await using var writer = test.Spool.TryBegin(["archive"])!;
        writer.Append(TestSpool.File(study, sop, pixels: (1 << 20) + 2));
        Assert.Equal(SpoolOutcome.Ok, (await writer.CommitAsync(DicomServerless.Dicom.Uid.Parse(study))).Outcome);
    }

    /// <summary>Keeps the waits that the forwarder names after failed requests.</summary>
    private sealed class WaitsLog : ILogger
    {
        private readonly List<double> seconds = [];

        public IReadOnlyList<double> Seconds
        {
            get { lock (seconds) return [.. seconds]; }
        }

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (eventId.Id != 3201 || state is not IReadOnlyList<KeyValuePair<string, object?>> values) return;
            lock (seconds) seconds.Add((double)values.First(value => value.Key == "Seconds").Value!);
        }
    }
}
