using System.Text;
using DicomServerless.Dicom;
using DicomServerless.EdgeGateway.Query;
using DicomServerless.EdgeGateway.Spooling;
using DicomServerless.Shared;
using Microsoft.Extensions.Logging.Abstractions;

namespace DicomServerless.Unit.Gateway;

/// <summary>Queries over what waits: known from the commit on, and no file is read for more than its header.</summary>
public sealed class WaitingObjectsTests : IAsyncLifetime
{
    private readonly string folder = Path.Combine(Path.GetTempPath(), "waiting-" + Guid.NewGuid().ToString("n"));
    private Spool spool = null!;

    public ValueTask InitializeAsync()
    {
        spool = Open();
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await spool.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    private Spool Open() => Spool.Open(new SpoolOptions { Path = folder, MinFreeMiB = 0 }, TimeProvider.System, NullLogger.Instance);

    private async Task StoreAsync(string study, int series, int number, string name = "Doe^Jane", string date = "20240229", string time = "101112",
        string patient = "P1")
    {
        var data = TestObject.Of(study, $"{study}.{series}", $"{study}.{series}.{number}")
            .Add(0x00080060, "CS", series == 1 ? "CT" : "SR").Add(0x00100010, "PN", name).Add(0x00100020, "LO", patient)
            .Add(0x00080020, "DA", date).Add(0x00080030, "TM", time).Add(0x7FE00010, "OW", new byte[200_000]);
        byte[] file = [.. Part10.Header(Uid.Parse("1.2.840.10008.5.1.4.1.1.7"),
            Uid.Parse($"{study}.{series}.{number}"), TransferSyntax.ExplicitVrLittleEndian.Uid), .. data.DataSet()];
        using var scanner = new InstanceScanner();
        scanner.Push(file);
        Assert.Equal(ScanStatus.Complete, scanner.Complete());
        await using var writer = spool.TryBegin(["archive"])!;
        writer.Append(file);
        Assert.Equal(SpoolOutcome.Ok, (await writer.CommitAsync(Uid.Parse(study), ObjectDescription.Of(scanner.Result!))).Outcome);
    }

    private static Identifier Identifier(string level, params (Tag Tag, Vr Vr, string Value)[] keys)
    {
        var builder = new DataSetBuilder();
        builder.Add(Tags.QueryRetrieveLevel, Vr.CS, Encoding.ASCII.GetBytes(level));
        foreach (var (tag, vr, value) in keys) builder.Add(tag, vr, Encoding.ASCII.GetBytes(value));
        return EdgeGateway.Query.Identifier.Read(builder.Build(), isPatientRoot: false, null, out _)!;
    }

    private static async Task<List<Match>> FindAsync(WaitingObjects waiting,
        Identifier identifier, bool combined = false, CancellationToken cancellationToken = default)
    {
        var found = new List<Match>();
        await foreach (var match in new QuerySearch(null, waiting, "archive", "").FindAsync(identifier, fuzzy: false, combined, cancellationToken))
            found.Add(match);
        return found;
    }

    [Fact]
    public async Task Counts_and_modalities_come_from_the_commit_and_one_header_stands_for_a_study()
    {
        for (var i = 1; i <= 3; i++) await StoreAsync("1.2", 1, i);
        await StoreAsync("1.2", 2, 1);
        using var waiting = new WaitingObjects(spool);
        // Whatever else would be opened is damaged: only the first object's header is needed.
        foreach (var entry in spool.Waiting("archive", "1.2").Skip(1)) File.WriteAllBytes(entry.Path, "damaged"u8.ToArray());
        var study = Assert.Single(await FindAsync(waiting, Identifier("STUDY", (Tags.PatientName, Vr.PN, "doe*"))));
        Assert.Equal(("4", "2", "CT\\SR"),
            (study.Text(Tags.NumberOfStudyRelatedInstances), study.Text(Tags.NumberOfStudyRelatedSeries), study.Text(Tags.ModalitiesInStudy)));
        // The header is kept: its file may be gone, and the answer is the same.
        File.WriteAllBytes(spool.Waiting("archive", "1.2")[0].Path, "damaged"u8.ToArray());
        Assert.Single(await FindAsync(waiting, Identifier("STUDY", (Tags.PatientName, Vr.PN, "doe*"), (Tags.ModalitiesInStudy, Vr.CS, "SR"))));
    }

    [Fact]
    public async Task Another_object_stands_for_a_patient_when_the_first_ones_file_is_gone()
    {
        for (var i = 1; i <= 2; i++) await StoreAsync("1.2", 1, i);
        File.Delete(spool.Waiting("archive", "1.2")[0].Path);
        using var waiting = new WaitingObjects(spool);
        Assert.Single(await FindAsync(waiting, Identifier("STUDY", (Tags.PatientName, Vr.PN, "doe*"))));
        Assert.Single(await FindAsync(waiting, Identifier("SERIES", (Tags.StudyInstanceUID, Vr.UI, "1.2"), (Tags.PatientName, Vr.PN, "doe*"))));
    }

    /// <summary>What a commitment needs to know: one bad file makes its own study doubtful and no other.</summary>
    [Theory]
    [InlineData("unreadable")]
    [InlineData("damaged")]
    [InlineData("not mounted")]
    public async Task A_file_that_cannot_be_read_makes_its_own_study_unknown_and_no_other(string trouble)
    {
        await StoreAsync("1.2", 1, 1);
        await StoreAsync("1.3", 1, 1);
        await spool.DisposeAsync();
        spool = Open(); // nothing is known of what waited at the start
        var path = spool.Waiting("archive", "1.3")[0].Path;
        File.Delete(path);
        if (trouble == "unreadable") Directory.CreateDirectory(path);
        if (trouble == "damaged") File.WriteAllBytes(path, new byte[5000]);
        using var waiting = new WaitingObjects(spool);
        var (sops, unknown) = waiting.Among("archive", new HashSet<string> { "1.2.1.1", "1.3.1.1", "1.9" }, default);
        Assert.Equal(["1.2.1.1"], sops);
        Assert.Equal(["1.3"], unknown);
    }

    /// <summary>What waits is not gone because nothing of the spool is there: an answer without it must say that it is not whole.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Without_the_volume_of_the_spool_what_waits_is_missed_and_not_gone(bool isKnown)
    {
        await StoreAsync("1.2", 1, 1);
        if (!isKnown)
        {
            await spool.DisposeAsync();
            spool = Open(); // nothing is known of what waited at the start
        }
        using var waiting = new WaitingObjects(spool);
        Directory.Move(folder, folder + ".away");
        try
        {
            var found = waiting.OfStudy("archive", "1.2", out var failure, default);
            Assert.Equal((isKnown ? 1 : 0, isKnown), (found.Count, failure is null));
            Assert.Throws<ArchiveException>(() => waiting.HeaderOf(spool.Waiting("archive", "1.2")[0]));
            if (!isKnown) return;
            var instance = found[0];
            var item = new RetrieveItem(instance.Key, instance.Description.SopClass, instance.Description.TransferSyntax, instance);
            // Not asked of the archive, which may have an older version.
            await foreach (var read in new ObjectSource(null).ReadAsync([item], false, default))
                Assert.Equal((null, "A file of the gateway's spool cannot be read"), (read.File, read.Problem));
        }
        finally
        {
            Directory.Move(folder + ".away", folder);
        }
        // With the volume, a file that is not there was removed.
        File.Delete(spool.Waiting("archive", "1.2")[0].Path);
        Assert.Null(waiting.HeaderOf(spool.Waiting("archive", "1.2")[0]));
    }

    /// <summary>An attribute of any length is matched, but not kept in memory for as many objects as wait.</summary>
    [Fact]
    public async Task A_patient_id_longer_than_the_standard_allows_is_not_kept_and_found_all_the_same()
    {
        var patient = new string('P', 65);
        await StoreAsync("1.2", 1, 1, patient: patient);
        await StoreAsync("1.3", 1, 1, patient: patient[1..]);
        using var waiting = new WaitingObjects(spool);
        Assert.Single(await FindAsync(waiting, Identifier("STUDY", (Tags.PatientID, Vr.LO, patient))));
        Assert.Null(spool.Waiting("archive", "1.2")[0].Description);
        Assert.NotNull(spool.Waiting("archive", "1.3")[0].Description);
    }

    // A restart with a long queue knows nothing of any object at first.
    [Fact]
    public void What_is_known_is_bounded_by_the_objects_it_is_known_of_and_not_by_those_that_wait()
    {
        const int Bound = 100_000;
        var queue = new SpoolQueue(folder, "archive", () => TimeSpan.Zero);
        var entries = Enumerable.Range(0, Bound + 2).Select(i => new SpoolEntry(queue, "1.2", 0, i, 0, 1, TimeSpan.Zero, null)).ToList();
        foreach (var entry in entries) queue.Load(entry);
        queue.EndLoad();
        var description = new ObjectDescription(default, default, default, "CT", new PatientKey("P1", ""));
        for (var round = 0; round < 2; round++) foreach (var entry in entries) entry.Describe(description);
        Assert.Equal(Bound, entries.Count(entry => entry.Description is not null));
        Assert.Null(entries[^1].Description);
        queue.Remove("1.2", entries.Take(1).ToHashSet());
        entries[0].Describe(description); // by a query that began before
        entries[^1].Describe(description);
        Assert.NotNull(entries[^1].Description);
        entries[^2].Describe(description);
        Assert.Null(entries[^2].Description);
    }

    [Fact]
    public async Task After_a_restart_headers_are_read_once_and_no_pixels()
    {
        await StoreAsync("1.3", 1, 1);
        await spool.DisposeAsync();
        spool = Open();
        var entry = Assert.Single(spool.Waiting("archive", "1.3"));
        Assert.Null(entry.Description);
        // All behind the first block is cut off: a reader that needs the pixels would call it truncated.
        using (var file = File.OpenWrite(entry.Path)) file.SetLength(80_000);
        using var waiting = new WaitingObjects(spool);
        Assert.Equal("1", Assert.Single(await FindAsync(waiting, Identifier("STUDY", (Tags.PatientID, Vr.LO, "P1")))).Text(Tags.NumberOfStudyRelatedInstances));
        Assert.Equal("1.3.1.1", entry.Description!.Key.Sop.Value);
    }

    [Fact]
    public void An_object_is_known_with_its_patient_and_the_issuer_of_the_id()
    {
        foreach (var (id, issuer) in new[] { ("P1", "HOSPITAL"), ("P1", ""), ("", "HOSPITAL") })
        {
            var data = TestObject.Of("1.2", "1.2.1", "1.2.1.1").Add(0x00080060, "CS", "CT");
            if (id.Length > 0) data.Add(0x00100020, "LO", id);
            if (issuer.Length > 0) data.Add(0x00100021, "LO", issuer);
            using var scanner = new InstanceScanner();
            scanner.Push(data.ToFile());
            Assert.Equal(ScanStatus.Complete, scanner.Complete());
            var description = ObjectDescription.Of(scanner.Result!);
            Assert.Equal((new PatientKey(id, issuer), "CT", "1.2.1.1"), (description.Patient, description.Modality, description.Key.Sop.Value));
        }
    }

    [Fact]
    public async Task A_query_over_what_waits_can_be_cancelled()
    {
        await StoreAsync("1.4", 1, 1);
        using var waiting = new WaitingObjects(spool);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            FindAsync(waiting, Identifier("STUDY"), cancellationToken: new CancellationToken(canceled: true)));
    }

    [Fact]
    public async Task A_date_and_its_time_are_one_interval_where_that_was_agreed()
    {
        await StoreAsync("1.5", 1, 1, date: "20240102", time: "080000");
        using var waiting = new WaitingObjects(spool);
        // From the 1st at 10 h to the 3rd at 12 h: apart, 8 h is no time between 10 h and 12 h.
        var identifier = Identifier("STUDY", (Tags.StudyDate, Vr.DA, "20240101-20240103"), (Tags.StudyTime, Vr.TM, "100000-120000"));
        Assert.Empty(await FindAsync(waiting, identifier, combined: false));
        Assert.Single(await FindAsync(waiting, identifier, combined: true));
    }
}
