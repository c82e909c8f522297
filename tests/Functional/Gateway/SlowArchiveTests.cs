using DicomServerless.Dicom;
using DicomServerless.Dicom.Network;
using DicomServerless.Shared;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace DicomServerless.Functional.Gateway;

/// <summary>What a peer of the gateway sees, and what an archive is asked, where the archive is slow or a study is still coming in.</summary>
public sealed class SlowArchiveTests
{
    private const string Study = "1.2.3";
    private const int Series = 8, WaitSeconds = 5;

    // Some peers leave after half a minute of silence.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_peer_hears_pending_while_the_archive_makes_a_retrieve_wait(bool isMove)
    {
        await using var place = await StartAsync();
        await using var destination = await TestScp.StartAsync(place.Port);
        var sopClass = isMove ? WellKnownUids.StudyRootMove : WellKnownUids.StudyRootGet;
        var responses = await Query.AskAsync(place.Gateway, association => isMove ? DimseCommand.CMove(association.NextMessageId(), sopClass, "MODALITY")
            : DimseCommand.CGet(association.NextMessageId(), sopClass), sopClass, Query.Identifier("STUDY", Query.Study(Study)));
        // One a second, less what the machine is late.
        Assert.InRange(responses.Count(response => response.Command.Status == DimseStatus.Pending), WaitSeconds / 2, 2 * WaitSeconds);
        Assert.Equal(0xA702, responses[^1].Command.Status); // what came is no DICOM file
    }

    /// <summary>As many searches as series have as many results as the study has instances: a workstation that looks in early would ask for millions.</summary>
    [Fact]
    public async Task The_instances_of_a_study_that_is_coming_in_are_listed_once_for_all_its_series()
    {
        await using var place = await StartAsync();
        await place.StoreAsync();
        var found = await Query.FindAsync(place.Gateway, Query.Identifier("SERIES", Query.Study(Study), (0x0020000E, "UI", ""), (0x00201209, "IS", "")));
        Assert.Equal(Series + 2, found.Count); // with the one that waits, and the end
        Assert.True(found[^1].Command.Status == DimseStatus.Success, $"{found[^1].Command.ErrorComment} {string.Join(' ', place.Asked)}");
        Assert.All(found[..Series], series => Assert.Equal("1", series.DataSet!.GetString(Tags.NumberOfSeriesRelatedInstances)));
        // The first page is small, so that there are two of them.
        Assert.InRange(place.Asked.Count(path => path == $"/studies/{Study}/instances"), 1, 2);
    }

    private static async Task<Place> StartAsync()
    {
        var (asked, port) = (new List<string>(), FreePorts.Next());
        var archive = await ScriptedServer.StartAsync((_, context) =>
        {
            context.Response.StatusCode = 503;
            return Task.CompletedTask;
        }, app =>
        {
            app.Use((context, next) =>
            {
                lock (asked) asked.Add(context.Request.Path);
                return next(context);
            });
            app.MapGet("/studies/{study}/series", () => Json(Enumerable.Range(1, Series).Select(i => $$$"""
                {"0020000D":{"vr":"UI","Value":["{{{Study}}}"]},"0020000E":{"vr":"UI","Value":["{{{Study}}}.{{{i}}}"]}}
                """)));
            app.MapGet("/studies/{study}/instances", () => Json(Enumerable.Range(1, Series).Select(i => $$$"""
                {"00080016":{"vr":"UI","Value":["1.2.840.10008.5.1.4.1.1.7"]},"00080018":{"vr":"UI","Value":["{{{Study}}}.{{{i}}}.1"]},
                "0020000D":{"vr":"UI","Value":["{{{Study}}}"]},"0020000E":{"vr":"UI","Value":["{{{Study}}}.{{{i}}}"]}}
                """)));
            app.MapGet("/studies", () => Json([$$$"""{"0020000D":{"vr":"UI","Value":["{{{Study}}}"]}}"""]));
            app.MapGet("/studies/{study}/series/{**path}", async (string path) =>
            {
                if (path.StartsWith(Study + ".1", StringComparison.Ordinal)) await Task.Delay(TimeSpan.FromSeconds(WaitSeconds));
                return Results.Bytes([1, 2, 3], "application/dicom");
            });
        });
        var gateway = await GatewayProcess.StartAsync(archive.Url, new Dictionary<string, string>
        {
            ["Gateway__RemoteAes__MODALITY__Host"] = "127.0.0.1", ["Gateway__RemoteAes__MODALITY__Port"] = $"{port}",
            ["Gateway__Query__ProgressSeconds"] = "1",
        });
        return new Place(archive, gateway, asked, port);

        static IResult Json(IEnumerable<string> results) => Results.Text($"[{string.Join(',', results)}]", "application/dicom+json");
    }

    private sealed record Place(ScriptedServer Archive, GatewayProcess Gateway, List<string> Asked, int Port) : IAsyncDisposable
    {
        /// <summary>An object of another series of the study, which waits because the archive takes nothing.</summary>
        public async Task StoreAsync()
        {
            var waiting = TestObject.Of(Study, Study + ".99", Study + ".99.1").DataSet();
            Assert.Equal(DimseStatus.Success, await Modality.StoreAsync(Gateway, waiting, Study + ".99.1"));
        }

        public async ValueTask DisposeAsync()
        {
            await Gateway.DisposeAsync();
            await Archive.DisposeAsync();
        }
    }
}
