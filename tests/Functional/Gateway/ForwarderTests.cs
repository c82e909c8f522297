using System.Net;
using System.Net.Http.Headers;
using DicomServerless.Dicom;
using DicomServerless.EdgeGateway.Forwarding;
using DicomServerless.EdgeGateway.Spooling;
using DicomServerless.Shared;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using static DicomServerless.Functional.Gateway.ScriptedServer;

namespace DicomServerless.Functional.Gateway;

public sealed class ForwarderTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task What_is_taken_leaves_the_disk_and_is_not_sent_again_by_a_restart()
    {
        await using var server = await StartAsync((request, context) => AnswerAsync(context, request));
        await using var test = new TestSpool();
        for (var i = 1; i <= 50; i++) await test.StoreAsync($"1.{i % 5}", $"1.{i % 5}.{i}");
        await using (var forwarder = await ForwardAsync(test, server)) await EmptyAsync(test);
        Assert.Empty(test.Files());
        var sent = server.Requests.Sum(request => request.Objects.Length);
        await test.RestartAsync();
        Assert.Equal((0, 50), (test.Spool.Queue("archive").Count, sent));
        Assert.All(server.Requests, request => Assert.Single(request.Sops.Select(sop => sop.Split('.')[1]).Distinct()));
    }

    [Fact]
    public async Task Each_instance_gets_what_the_answer_says_of_it()
    {
        var attempts = 0;
        await using var server = await StartAsync((request, context) => AnswerAsync(context, request, sop => sop switch
        {
            "1.2.1" => 0xA900,
            "1.2.2" => 45070,
            "1.2.3" when Interlocked.Increment(ref attempts) == 1 => 0xA700,
            _ => null,
        }));
        await using var test = new TestSpool();
        for (var i = 1; i <= 6; i++) await test.StoreAsync("1.2", $"1.2.{i}");
        await using var forwarder = await ForwardAsync(test, server);
        await EmptyAsync(test);
        var item = Assert.Single(test.Spool.Quarantine.List().Items);
        Assert.Equal(("A900", "1.2.1", "1.2"), (item.Reason.FailureReason, item.Reason.SopInstanceUid, item.Reason.StudyInstanceUid));
        Assert.True(attempts >= 2);
    }

    [Fact]
    public async Task An_object_that_spoils_its_batch_is_found_and_put_into_quarantine_alone()
    {
        await using var server = await StartAsync(async (request, context) =>
        {
            if (request.Sops.Contains("1.2.37")) context.Response.StatusCode = 400;
            else await AnswerAsync(context, request);
        });
        await using var test = new TestSpool();
        for (var i = 1; i <= 64; i++) await test.StoreAsync("1.2", $"1.2.{i}");
        await using var forwarder = await ForwardAsync(test, server);
        await EmptyAsync(test);
        var item = Assert.Single(test.Spool.Quarantine.List().Items);
        Assert.Equal(("1.2.37", 400), (item.Reason.SopInstanceUid, item.Reason.Status));
    }

    [Fact]
    public async Task An_object_on_which_the_destination_breaks_is_found_and_tried_ten_times_alone()
    {
        var alone = 0;
        await using var server = await StartAsync(async (request, context) =>
        {
            if (request.Sops.SequenceEqual(["1.2.37"])) Interlocked.Increment(ref alone);
            if (request.Sops.Contains("1.2.37")) context.Response.StatusCode = 500;
            else await AnswerAsync(context, request);
        });
        await using var test = new TestSpool();
        for (var i = 1; i <= 64; i++) await test.StoreAsync("1.2", $"1.2.{i}");
        await using var forwarder = await ForwardAsync(test, server);
        // The others do not wait for it.
        await UntilAsync(() => test.Spool.Queue("archive").Count <= 1);
        Assert.True(Volatile.Read(ref alone) < 10);
        await EmptyAsync(test);
        var item = Assert.Single(test.Spool.Quarantine.List().Items);
        Assert.Equal(("1.2.37", 500, 10), (item.Reason.SopInstanceUid, item.Reason.Status, alone));
        Assert.Equal(server.Requests.Count(request => request.Sops.Contains("1.2.37")), item.Reason.Attempts);
    }

    [Fact]
    public async Task A_destination_that_breaks_on_everything_is_left_alone_for_longer_and_longer()
    {
        var isWell = false;
        var clock = new FastTime();
        await using var server = await StartAsync(async (request, context) =>
        {
            if (!Volatile.Read(ref isWell)) context.Response.StatusCode = 500;
            else await AnswerAsync(context, request);
        });
        await using var test = new TestSpool(time: clock);
        for (var i = 1; i <= 200; i++) await test.StoreAsync($"1.{i % 100}", $"1.{i % 100}.{i}");
        await using var forwarder = await ForwardAsync(test, server);
        var began = clock.GetTimestamp();
        await UntilAsync(() => clock.GetElapsedTime(began) > TimeSpan.FromMinutes(10));
        // 1, 2, 4 … 256 s, half of it random, make 9 to 11 in ten minutes; at the start four go at once.
        Assert.InRange(server.Requests.Length, 5, 30);
        Volatile.Write(ref isWell, true);
        await EmptyAsync(test);
        Assert.Empty(test.Spool.Quarantine.List().Items);
    }

    [Fact]
    public async Task Too_large_a_request_is_split()
    {
        await using var server = await StartAsync(async (request, context) =>
        {
            if (request.Objects.Length > 3) context.Response.StatusCode = 413;
            else await AnswerAsync(context, request);
        });
        await using var test = new TestSpool();
        for (var i = 1; i <= 20; i++) await test.StoreAsync("1.2", $"1.2.{i}");
        await using var forwarder = await ForwardAsync(test, server);
        await EmptyAsync(test);
        Assert.Empty(test.Spool.Quarantine.List().Items);
    }

    [Fact]
    public async Task Refused_credentials_raise_an_alarm_and_lose_nothing()
    {
        var isOpen = false;
        await using var server = await StartAsync(async (request, context) =>
        {
            if (!Volatile.Read(ref isOpen)) context.Response.StatusCode = 401;
            else await AnswerAsync(context, request);
        });
        await using var test = new TestSpool();
        await test.StoreAsync("1.2", "1.2.1");
        await using var forwarder = await ForwardAsync(test, server, options => options with
            { Authentication = new AuthenticationOptions { Kind = AuthenticationKind.Basic, User = "u", Password = "p" } });
        await UntilAsync(() => forwarder.Status[0].Alarm is not null);
        Assert.Equal((1, BatchOutcome.Unauthorized), (forwarder.Status[0].Waiting, forwarder.Status[0].LastErrorKind));
        Volatile.Write(ref isOpen, true);
        await EmptyAsync(test);
        await UntilAsync(() => forwarder.Status[0].Alarm is null);
        Assert.Equal("Basic dTpw", server.Requests[0].Authorization);
    }

    [Fact]
    public async Task Retry_after_is_waited_for()
    {
        var clock = new FastTime();
        var times = new List<long>();
        await using var server = await StartAsync(async (request, context) =>
        {
            lock (times) times.Add(clock.GetTimestamp());
            if (times.Count > 1) await AnswerAsync(context, request);
            else
            {
                context.Response.StatusCode = 503;
                context.Response.Headers.RetryAfter = "30";
            }
        });
        await using var test = new TestSpool(time: clock);
        await test.StoreAsync("1.2", "1.2.1");
        await using var forwarder = await ForwardAsync(test, server);
        await EmptyAsync(test);
        Assert.True(clock.GetElapsedTime(times[0], times[1]) >= TimeSpan.FromSeconds(29));
    }

    [Fact]
    public async Task A_dead_destination_does_not_hold_up_another()
    {
        await using var server = await StartAsync((request, context) => AnswerAsync(context, request));
        await using var test = new TestSpool();
        for (var i = 1; i <= 20; i++) await test.StoreAsync("1.2", $"1.2.{i}", "v1", "AE", "dead", "archive");
        await using var forwarder = Forwarder(test);
        var dead = new DestinationOptions { Url = $"http://127.0.0.1:{FreePorts.Next()}" };
        await forwarder.ApplyAsync(new Dictionary<string, DestinationOptions> { ["dead"] = dead, ["archive"] = new() { Url = server.Url } });
        await EmptyAsync(test);
        Assert.Equal(20, test.Spool.Queue("dead").Count);
        await forwarder.ApplyAsync(new Dictionary<string, DestinationOptions> { ["archive"] = new() { Url = server.Url } });
        Assert.False(forwarder.Status.Single(status => status.Destination == "dead").IsConfigured);
        await forwarder.ApplyAsync(new Dictionary<string, DestinationOptions> { ["dead"] = new() { Url = server.Url } });
        await EmptyAsync(test, "dead");
    }

    [Fact]
    public async Task A_flipped_byte_is_not_sent()
    {
        await using var server = await StartAsync((request, context) => AnswerAsync(context, request));
        await using var test = new TestSpool();
        for (var i = 1; i <= 3; i++) await test.StoreAsync("1.2", $"1.2.{i}");
        var damaged = test.Spool.Waiting("archive", "1.2")[1].Path;
        var bytes = await File.ReadAllBytesAsync(damaged);
        bytes[^1] ^= 1;
        await File.WriteAllBytesAsync(damaged, bytes);
        await using var forwarder = await ForwardAsync(test, server);
        await EmptyAsync(test);
        Assert.Contains("checksum", Assert.Single(test.Spool.Quarantine.List().Items).Reason.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("1.2.2", server.Requests.SelectMany(request => request.Sops));
    }

    // By the UID storage commitment knows that the only copy may lie there, and does not confirm it by an older version.
    [Fact]
    public async Task An_object_with_a_damaged_header_goes_to_quarantine_under_the_uid_that_it_came_with()
    {
        await using var server = await StartAsync((request, context) => AnswerAsync(context, request));
        await using var test = new TestSpool();
        await test.StoreAsync("1.2", "1.2.1");
        var entry = test.Spool.Waiting("archive", "1.2")[0];
        var sopClass = Uid.Parse("1.2.840.10008.5.1.4.1.1.7");
        entry.Describe(new ObjectDescription(new InstanceKey(Uid.Parse("1.2"), Uid.Parse("1.2.1"), Uid.Parse("1.2.1")), sopClass, default, "",
            new PatientKey("", ""))); // as a commit does
        await File.WriteAllBytesAsync(entry.Path, new byte[entry.Size]);
        await using var forwarder = await ForwardAsync(test, server);
        await EmptyAsync(test);
        var reason = Assert.Single(test.Spool.Quarantine.List().Items).Reason;
        Assert.Equal(("1.2.1", sopClass.Value), (reason.SopInstanceUid, reason.SopClassUid));
        Assert.Equal(["1.2.1"], test.Spool.Quarantine.SopInstances("archive"));
    }

    [Fact]
    public async Task Versions_of_an_object_arrive_in_order_whatever_fails()
    {
        var random = new Random(1);
        var stored = new List<string>();
        await using var server = await StartAsync(async (request, context) =>
        {
            bool fails;
            lock (stored)
            {
                fails = random.Next(3) == 0;
                if (!fails) stored.AddRange(request.Objects);
            }
            if (fails) context.Abort();
            else await AnswerAsync(context, request);
        });
        await using var test = new TestSpool();
        for (var version = 1; version <= 5; version++)
            for (var i = 1; i <= 10; i++) await test.StoreAsync("1.2", $"1.2.{i}", $"v{version}", "REPLACING");
        await using var forwarder = await ForwardAsync(test, server);
        await EmptyAsync(test);
        foreach (var versions in stored.GroupBy(item => item.Split('/')[0], item => item.Split('/')[1])) Assert.Equal(["v1", "v2", "v3", "v4", "v5"], versions);
        Assert.All(server.Requests, request => Assert.Equal("replace", request.Policy));
    }

    [Fact]
    public async Task The_window_and_the_bandwidth_change_at_once()
    {
        await using var server = await StartAsync((request, context) => AnswerAsync(context, request));
        await using var test = new TestSpool();
        await test.StoreAsync("1.2", "1.2.1");
        var now = DateTimeOffset.UtcNow;
        var closed = new DestinationOptions { Url = server.Url, TimeZone = "UTC", Window = $"{now.AddHours(2):HH:mm}-{now.AddHours(3):HH:mm}" };
        await using var forwarder = Forwarder(test);
        await forwarder.ApplyAsync(new Dictionary<string, DestinationOptions> { ["archive"] = closed });
        Assert.True(forwarder.Status[0].IsOutsideWindow);
        await forwarder.ApplyAsync(new Dictionary<string, DestinationOptions> { ["archive"] = closed with { Window = "", MaxBandwidthMbps = 100 } });
        await EmptyAsync(test);
    }

    internal static Forwarder Forwarder(TestSpool test) =>
        Forwarder(test, NullLogger.Instance);

    internal static Forwarder Forwarder(TestSpool test, ILogger log) =>
        new(test.Spool, new ForwarderContext(called => called == "REPLACING" ? "replace" : null, new FastTime(), Guid.NewGuid, log, null));

    internal static async Task<Forwarder> ForwardAsync(TestSpool test, ScriptedServer server, Func<DestinationOptions, DestinationOptions>? configure = null)
    {
        var forwarder = Forwarder(test);
        var options = new DestinationOptions { Url = server.Url };
        options = configure?.Invoke(options) ?? options;
        Assert.Empty(options.Problems("Gateway:Destinations:archive"));
        await forwarder.ApplyAsync(new Dictionary<string, DestinationOptions> { ["archive"] = options });
        return forwarder;
    }

    internal static Task EmptyAsync(TestSpool test, string destination = "archive") => UntilAsync(() => test.Spool.Queue(destination).Count == 0);

    internal static async Task UntilAsync(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (!condition()) await Task.Delay(10, limit.Token);
    }
}
