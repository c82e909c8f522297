using System.Net;

namespace DicomServerless.Functional.Http;

/// <summary>Links to further pages, and configured query attributes, as HTTP.</summary>
public sealed class SearchPagingTests
{
    [Fact]
    public async Task Links_lead_through_all_results_and_say_nothing_of_the_query()
    {
        await using var server = await Server.StartAsync();
        await StoreAsync(server, 7);
        var found = new List<string>();
        for (var url = "/studies?limit=2&PatientName=SMITH*&includefield=00081030&offset=1"; url.Length > 0;)
        {
            using var response = await server.GetAsync(url);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            found.AddRange((await Server.JsonAsync(response)).EnumerateArray()
                .Select(item => item.GetProperty("0020000D").GetProperty("Value")[0].GetString()!));
            url = response.Headers.TryGetValues("Link", out var links) ? links.Single() : "";
            Assert.Equal(url.Length > 0, response.Headers.Contains("Warning"));
            if (url.Length == 0) break;
            Assert.Matches($"^<{server.Base}/studies\\?cursor=[A-Za-z0-9_-]+>; rel=\"next\"$", url);
            url = url[1..url.IndexOf('>', StringComparison.Ordinal)];
        }
        Assert.Equal(["1.9.5", "1.9.4", "1.9.3", "1.9.2", "1.9.1", "1.9.0"], found); // all but the newest, which the offset passed over
    }

    [Fact]
    public async Task A_cursor_of_another_resource_or_service_is_400_and_named()
    {
        await using var server = await Server.StartAsync();
        await using var other = await Server.StartAsync(("Http:CursorKey", Convert.ToBase64String(new byte[32])));
        await StoreAsync(server, 3);
        var cursor = (await server.GetAsync("/studies?limit=1")).Headers.GetValues("Link").Single().Split("cursor=")[1].Split('>')[0];
        Assert.Equal(HttpStatusCode.OK, (await server.GetAsync("/studies?cursor=" + cursor)).StatusCode);
        foreach (var url in new[] { "/series?cursor=" + cursor, "/studies/1.9.1/series?cursor=" + cursor,
            "/studies?cursor=" + cursor[..^4] + "AAAA", "/studies?cursor=", "/studies?cursor=%00" })
            await Server.AssertProblemAsync(HttpStatusCode.BadRequest, await server.GetAsync(url), "cursor does not belong");
        await Server.AssertProblemAsync(HttpStatusCode.BadRequest, await other.GetAsync("/studies?cursor=" + cursor), "cursor does not belong");
    }

    [Fact]
    public async Task A_cursor_stands_alone_but_for_the_representation()
    {
        await using var server = await Server.StartAsync();
        await StoreAsync(server, 3);
        var url = "/studies?" + (await server.GetAsync("/studies?limit=1")).Headers.GetValues("Link").Single().Split('?')[1].Split('>')[0];
        using var answer = await server.GetAsync(url + "&accept=application/json");
        Assert.Equal("application/json", answer.Content.Headers.ContentType!.ToString());
        Assert.Single((await Server.JsonAsync(answer)).EnumerateArray());
        foreach (var added in new[] { "PatientID=P1", "limit=1", "offset=1", "includefield=all", "cursor=x" })
            await Server.AssertProblemAsync(HttpStatusCode.BadRequest, await server.GetAsync($"{url}&{added}"), "cursor stands alone");
    }

    [Fact]
    public async Task Private_keys_name_their_creator_and_zones_are_checked()
    {
        await using var server = await Server.StartAsync();
        await server.StoreAsync(Server.Image("1.2", "1.2.1", "1.2.1.1").Add(0x00230010, "LO", "OTHER")
            .Add(0x00230011, "LO", "ACME").Add(0x00231101, "LO", "Left").ToFile());
        await Server.AssertProblemAsync(HttpStatusCode.BadRequest, await server.GetAsync("/instances?00231001=Left"), "00231001", "creator");
        await Server.AssertProblemAsync(HttpStatusCode.BadRequest, await server.GetAsync("/studies?TimezoneOffsetFromUTC=CET"), "TimezoneOffsetFromUTC");
        using var response = await server.GetAsync("/instances?00230010=ACME&00231001=L*&AccessionNumber=");
        var item = (await Server.JsonAsync(response))[0];
        Assert.Equal("Left ACME", $"{item.GetProperty("00231101").GetProperty("Value")[0]} {item.GetProperty("00230011").GetProperty("Value")[0]}");
        Assert.False(item.TryGetProperty("00231001", out _));
        // A key that the object has not comes back empty.
        Assert.False(item.GetProperty("00080050").TryGetProperty("Value", out _));
        using var absent = await server.GetAsync("/instances?00230010=ACME&00231009=");
        Assert.False((await Server.JsonAsync(absent))[0].GetProperty("00231009").TryGetProperty("Value", out _));
        Assert.Equal(HttpStatusCode.NoContent, (await server.GetAsync("/instances?00230010=NOBODY&00231001=L*")).StatusCode);
        // At the level of studies any of their instances decides, and nothing of it but the key is returned.
        using var study = await server.GetAsync("/studies?00230010=ACME&00231001=Left&includefield=all");
        Assert.False((await Server.JsonAsync(study))[0].TryGetProperty("00280010", out _));
    }

    [Fact]
    public async Task A_query_attribute_is_built_in_the_background_and_says_how_far_it_is()
    {
        await using var server = await Server.StartAsync(
            ("Archive:QueryTags:0:Tag", "PatientAddress"), ("Archive:QueryTags:1:Tag", "00231001"),
                ("Archive:QueryTags:1:Vr", "LO"), ("Archive:QueryTags:1:PrivateCreator", "ACME"), ("Archive:QueryTags:1:Level", "Series"),
            ("Events:SweepSeconds", "0"));
        await StoreAsync(server, 3);
        var status = await Server.JsonAsync(await server.GetAsync("/querytags"));
        Assert.Equal(["00101040 LO building Study", "0023XX01 LO building Series"],
            status.EnumerateArray().Select(tag => $"{tag.GetProperty("tag")} {tag.GetProperty("vr")} {tag.GetProperty("state")} {tag.GetProperty("level")}"));
        Assert.Equal("ACME", status[1].GetProperty("privateCreator").GetString());
        using var early = await server.GetAsync("/studies?PatientAddress=Road 2");
        Assert.Single((await Server.JsonAsync(early)).EnumerateArray());
        Assert.Equal([$"299 {server.Base}: A query attribute is still being built; studies were looked at one by one"], early.Headers.GetValues("Warning"));
    }

    [Theory]
    [InlineData("Archive:QueryTags:0:Tag", "NoSuchKeyword")]
    [InlineData("Archive:QueryTags:0:Tag", "00231001")]
    [InlineData("Archive:QueryTags:0:Vr", "OB")]
    [InlineData("Archive:QueryTags:0:Level", "Patient")]
    [InlineData("Archive:QueryTags:0:PrivateCreator", "ACME")]
    [InlineData("Archive:QueryTags:0:Colour", "red")]
    [InlineData("Http:CursorKey", "c2hvcnQ=")]
    public async Task What_is_wrong_in_the_configuration_is_said_at_the_start(string key, string value)
    {
        var settings = new List<(string, string)> { ("Archive:QueryTags:0:Tag", "PatientAddress") };
        settings.RemoveAll(item => item.Item1 == key);
        settings.Add((key, value));
        var failure = await Assert.ThrowsAnyAsync<Xunit.Sdk.XunitException>(() => Server.StartAsync([.. settings]));
        Assert.Contains(key.Split(':')[0] + ":", failure.Message, StringComparison.Ordinal);
        if (key == "Http:CursorKey") Assert.DoesNotContain(value, failure.Message, StringComparison.Ordinal);
    }

    private static async Task StoreAsync(Server server, int count)
    {
        using var response = await server.StoreAsync(
            [.. Enumerable.Range(0, count).Select(i => Server.Image($"1.9.{i}", $"1.9.{i}.1", $"1.9.{i}.1.1")
            .Add(0x00080020, "DA", $"2024010{9 - (count - i)}").Add(0x00101040, "LO", $"Road {i}").ToFile())]);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }
}
