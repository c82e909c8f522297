using System.Text;
using DicomServerless.Archive;
using DicomServerless.Archive.Search;
using DicomServerless.Dicom;
using DicomServerless.Shared;

namespace DicomServerless.Unit.Archive;

/// <summary>An object of another patient in a study: warned of, found, and no reason to rename the study.</summary>
public sealed class SecondPatientTests
{
    private readonly ManualTime clock = new(Archives.Start);
    private readonly MemoryWorld world;

    public SecondPatientTests() => world = new MemoryWorld(clock);

    [Fact]
    public async Task It_is_stored_with_a_warning_and_the_study_stays_that_of_the_first()
    {
        var archive = Archives.Open(world, clock);
        await archive.StoreAsync(Made(5, "ALICE"));
        clock.Advance(TimeSpan.FromSeconds(1));
        var second = await archive.StoreAsync(Made(1, "BOB"));
        Assert.Equal(StoreOutcome.Stored, second.Outcome);
        Assert.True(second.IsOfOtherPatient);
        Assert.Contains("(0010,0020)", second.Problem, StringComparison.Ordinal);
        Assert.False((await archive.StoreAsync(Made(6, "ALICE"))).IsOfOtherPatient);
        Assert.Equal(["ALICE"], await StudiesAsync(archive, "ALICE"));
        Assert.Empty(await StudiesAsync(archive, "BOB"));
        Assert.Equal(["1.2.3.1.1"], await InstancesAsync(archive, "BOB"));
        Assert.Equal(["1.2.3.1.5", "1.2.3.1.6"], await InstancesAsync(archive, "ALICE"));
        new IndexCheck(world).Run();

        // An index made from nothing but the blobs says the same.
        foreach (var table in (MemoryTableState[])[world.Instances, world.Studies, world.Keys, world.Uids, world.Journal]) table.Rows.Clear();
        archive = Archives.Open(world, clock);
        await archive.Rebuild.RunAsync(default);
        Assert.Equal(["ALICE"], await StudiesAsync(archive, "ALICE"));
        new IndexCheck(world).Run();

        // When the first patient's objects go, the study is the other's.
        await archive.Removal.DeleteAsync(Uid.Parse("1.2.3"), Uid.Parse("1.2.3.1"), Uid.Parse("1.2.3.1.5"), default);
        await archive.Removal.DeleteAsync(Uid.Parse("1.2.3"), Uid.Parse("1.2.3.1"), Uid.Parse("1.2.3.1.6"), default);
        Assert.Equal(["BOB"], await StudiesAsync(archive, "BOB"));
        new IndexCheck(world).Run();
    }

    [Fact]
    public async Task Two_patients_in_the_request_that_begins_a_study_are_warned_of_too()
    {
        var results = await Archives.Open(world, clock).StoreAllAsync([Made(2, "ALICE"), Made(1, "BOB"), Made(3, "")]);
        Assert.Equal([false, true, false], results.Select(result => result.IsOfOtherPatient));
    }

    [Fact]
    public async Task It_is_refused_where_that_is_configured()
    {
        var archive = Archives.Open(world, clock, new ArchiveOptions { SecondPatient = SecondPatientPolicy.Refuse });
        await archive.StoreAsync(Made(5, "ALICE"));
        Assert.Equal(StoreOutcome.OtherPatient, (await archive.StoreAsync(Made(1, "BOB"))).Outcome);
        Assert.Equal(StoreOutcome.Stored, (await archive.StoreAsync(Made(2, ""))).Outcome);
        Assert.Equal(2, world.Dicom.Blobs.Count);
        new IndexCheck(world).Run();
    }

    /// <summary>No commit tells who the study's patient is where events index: the study's row does.</summary>
    [Theory]
    [InlineData(SecondPatientPolicy.Refuse)]
    [InlineData(SecondPatientPolicy.Warn)]
    public async Task It_is_known_across_requests_where_events_index(SecondPatientPolicy policy)
    {
        var archive = Archives.Open(world, clock, new ArchiveOptions { SecondPatient = policy, OnStore = IndexingOnStore.Event });
        await archive.StoreAsync(Made(5, "ALICE"));
        await archive.Reconciler.ReconcileAsync(Uid.Parse("1.2.3"), default);
        var results = await archive.StoreAllAsync([Made(1, "BOB"), Made(2, "ALICE")]);
        Assert.Equal([policy == SecondPatientPolicy.Refuse ? StoreOutcome.OtherPatient : StoreOutcome.Stored, StoreOutcome.Stored],
            results.Select(result => result.Outcome));
        Assert.Equal([policy == SecondPatientPolicy.Warn, false], results.Select(result => result.IsOfOtherPatient));
    }

    [Theory]
    [InlineData(DuplicatePolicy.Reject)]
    [InlineData(DuplicatePolicy.KeepFirst)]
    public async Task An_upload_that_is_refused_as_a_duplicate_takes_no_vote_away_from_the_object_that_is_there(DuplicatePolicy policy)
    {
        var archive = Archives.Open(world, clock, new ArchiveOptions { SecondPatient = SecondPatientPolicy.Refuse });
        var other = TestObject.Of("1.2.3", "1.2.3.1", "1.2.3.1.1").Add(0x00080060, "CS", "MR").Add(0x00100020, "LO", "ALICE").ToFile();
        var results = await archive.StoreAllAsync([Made(1, "ALICE"), other, Made(2, "BOB")], policy);
        Assert.Equal([StoreOutcome.Stored, policy == DuplicatePolicy.Reject ? StoreOutcome.Duplicate : StoreOutcome.KeptFirst, StoreOutcome.OtherPatient],
            results.Select(result => result.Outcome));
    }

    [Fact]
    public async Task A_correction_of_the_patient_of_an_object_and_its_repetition_are_not_another_patient()
    {
        var archive = Archives.Open(world, clock, new ArchiveOptions { SecondPatient = SecondPatientPolicy.Refuse });
        await archive.StoreAsync(Made(1, "ALICE"));
        foreach (var outcome in (StoreOutcome[])[StoreOutcome.Stored, StoreOutcome.AlreadyStored])
        {
            var result = await archive.StoreAsync(Made(1, "BOB"), DuplicatePolicy.Replace);
            Assert.Equal((outcome, false), (result.Outcome, result.IsOfOtherPatient));
        }
        Assert.Equal(["BOB"], await StudiesAsync(archive, "BOB"));
        new IndexCheck(world).Run();
    }

    [Theory]
    [InlineData(SecondPatientPolicy.Warn)]
    [InlineData(SecondPatientPolicy.Refuse)]
    public async Task An_object_that_could_not_be_stored_does_not_decide_whose_study_it_is(SecondPatientPolicy policy)
    {
        var puts = 0;
        var archive = Archives.Open(world, clock, new ArchiveOptions { SecondPatient = policy }, step: what =>
            what.StartsWith("put ", StringComparison.Ordinal) && ++puts == 1 ? throw new StorageFault() : Task.CompletedTask);
        var results = await archive.StoreAllAsync([Made(1, "BOB"), Made(2, "ALICE"), Made(3, "ALICE")]);
        Assert.Equal([StoreOutcome.TryAgain, StoreOutcome.Stored, StoreOutcome.Stored], results.Select(result => result.Outcome));
        Assert.DoesNotContain(results, result => result.IsOfOtherPatient);
        Assert.Equal(["ALICE"], await StudiesAsync(archive, "ALICE"));
    }

    private static byte[] Made(int instance, string patient)
    {
        var made = TestObject.Of("1.2.3", "1.2.3.1", $"1.2.3.1.{instance}").Add(0x00080060, "CS", "CT");
        return (patient.Length == 0 ? made : made.Add(0x00100010, "PN", patient).Add(0x00100020, "LO", patient)).ToFile();
    }

    private static Task<string[]> StudiesAsync(DicomArchive archive, string patient) => FindAsync(archive, QidoLevel.Study, patient, "00100020");

    private static Task<string[]> InstancesAsync(DicomArchive archive, string patient) => FindAsync(archive, QidoLevel.Instance, patient, "00080018");

    private static async Task<string[]> FindAsync(DicomArchive archive, QidoLevel level, string patient, string tag)
    {
        var query = QidoQuery.Parse(level, null, null, [new("PatientID", patient)], out _);
        var answer = await archive.Search.SearchAsync(query, "", default);
        return [.. answer.Results.Select(json => System.Text.Json.JsonDocument.Parse(Encoding.UTF8.GetString(json))
            .RootElement.GetProperty(tag).GetProperty("Value")[0].GetString()!)];
    }
}
