using System.Diagnostics;
using System.Globalization;
using System.Text;
using DicomServerless.Archive;
using DicomServerless.Archive.Index;
using DicomServerless.Dicom;
using DicomServerless.Dicom.Network;
using DicomServerless.EdgeGateway.Spooling;
using DicomServerless.Shared;
using DicomServerless.Storage;
using DicomServerless.Storage.Azure;

namespace DicomServerless.Bench.Gateway;

/// <summary>
/// C-FIND at study level: over many objects that wait in the spool while the archive is away, the first query after a start and later ones; over many studies
/// in the archive, whose index rows are made directly, the first answer, all of them, and a C-CANCEL after the tenth.
/// </summary>
internal static class FindBench
{
    private const int Rounds = 5, CancelAfter = 10, PerStudy = 100;

    public static async Task RunAsync(int waiting, int studies)
    {
        await WaitingAsync(waiting);
        await ArchivedAsync(studies);
    }

    private static async Task WaitingAsync(int objects)
    {
        await using var gateway = await GatewayProcess.StartAsync($"http://127.0.0.1:{FreePorts.Next()}/dicomweb");
        gateway.Kill();
        FillSpool(gateway.SpoolFolder, objects);
        await gateway.RestartAsync();
        await using var association = await ConnectAsync(gateway);
        var all = new List<double>();
        for (var round = 0; round <= Rounds; round++)
        {
            var found = await FindAsync(association, null, "DOE*");
            if (found.Count != objects / PerStudy) throw new InvalidOperationException($"{found.Count} studies were found, status {found.Status:X4}.");
            all.Add(found.All);
        }
        var resident = gateway.Footprint().ResidentMiB;
        await association.ReleaseAsync(CancellationToken.None);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"\n### C-FIND by name over {objects} objects that wait, {objects / PerStudy} studies: the first after a start {all[0]:F0} ms; later ones "
                + $"{GatewayBench.Median(all.Skip(1)):F0} ms, the slowest {all.Skip(1).Max():F0} ms (aim 1000); {resident:F0} MiB resident\n"));
    }

    private static async Task ArchivedAsync(int studies)
    {
        using var azurite = await Azurite.StartAsync();
        using var functions = await FunctionsProcess.StartAsync(azurite.ConnectionString);
        await FillAsync(azurite, studies);
        await using var gateway = await GatewayProcess.StartAsync(functions.Url + "/dicomweb");
        await using var association = await ConnectAsync(gateway);
        await FindAsync(association, null); // warm
        var (first, all) = (new List<double>(), new List<double>());
        for (var round = 0; round < Rounds; round++)
        {
            var found = await FindAsync(association, null);
            if (found.Count != studies) throw new InvalidOperationException($"{found.Count} of {studies} studies were found, status {found.Status:X4}.");
            first.Add(found.First);
            all.Add(found.All);
        }
        var cancelled = await FindAsync(association, CancelAfter);
        await association.ReleaseAsync(CancellationToken.None);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"\n### C-FIND over {studies} studies: first answer after {GatewayBench.Median(first):F0} ms (aim 200), all after "
                + $"{GatewayBench.Median(all):F0} ms; C-CANCEL after {CancelAfter}: status {cancelled.Status:X4} after {cancelled.Count} answers\n"));
    }

    private static Task<Association> ConnectAsync(GatewayProcess gateway) =>
        new AssociationClient(new AssociationOptions(), TimeProvider.System).ConnectAsync(
            new RemoteAe("127.0.0.1", gateway.DimsePort, "DICOMGW", "BENCH"),
            [new ContextProposal(WellKnownUids.StudyRootFind, [TransferSyntax.ExplicitVrLittleEndian.Uid])], CancellationToken.None);

    private static async Task<(double First, double All, int Count, ushort Status)> FindAsync(Association association, int? cancelAfter, string name = "")
    {
        var identifier = new System.Buffers.ArrayBufferWriter<byte>();
        var writer = new DataSetWriter(identifier, DicomEncoding.ExplicitLittleEndian);
        writer.Write(Tags.StudyDate, Vr.DA, []);
        writer.Write(Tags.QueryRetrieveLevel, Vr.CS, "STUDY"u8);
        writer.Write(Tags.PatientName, Vr.PN, Encoding.ASCII.GetBytes(name));
        writer.Write(Tags.PatientID, Vr.LO, []);
        writer.Write(Tags.StudyInstanceUID, Vr.UI, []);
        var context = association.FindContext(WellKnownUids.StudyRootFind)!;
        var request = DimseCommand.CFind(association.NextMessageId(), WellKnownUids.StudyRootFind);
        var (watch, first, count) = (Stopwatch.StartNew(), 0.0, 0);
        await association.SendAsync(request, context, identifier.WrittenMemory, CancellationToken.None);
        while (true)
        {
            var message = await association.ReceiveAsync(CancellationToken.None) ?? throw new IOException("The association was released.");
            if (!DimseStatus.IsPending(message.Command.Status)) return (first, watch.Elapsed.TotalMilliseconds, count, message.Command.Status);
            if (++count == 1) first = watch.Elapsed.TotalMilliseconds;
            if (count == cancelAfter) await association.SendAsync(DimseCommand.CCancel(request.MessageId), context, CancellationToken.None);
        }
    }

    // Names as the spool gives them.
    private static void FillSpool(string spool, int objects)
    {
        var hour = DateTime.UtcNow.AddHours(-2).ToString("yyyyMMddHH", CultureInfo.InvariantCulture);
        for (var i = 0; i < objects; i++)
        {
            var number = (i / PerStudy) + 1;
            var study = string.Create(CultureInfo.InvariantCulture, $"1.2.840.99.{number}");
            var bytes = TestObject.Of(study, study + ".1", $"{study}.1.{(i % PerStudy) + 1}").Add(0x00080020, "DA", "20240229")
                .Add(0x00080060, "CS", "CT").Add(0x00100010, "PN", $"DOE^{number}").Add(0x00100020, "LO", $"P{number}").ToFile();
            var folder = Path.Combine(spool, "archive", hour, study);
            if (i % PerStudy == 0) Directory.CreateDirectory(folder);
            File.WriteAllBytes(Path.Combine(folder, SpoolName.FileName(i + 1, System.IO.Hashing.XxHash128.HashToUInt128(bytes))), bytes);
        }
    }

    private static async Task FillAsync(Azurite azurite, int studies)
    {
        var table = new AzureStorageAccount(new AzureStorageOptions { ConnectionString = azurite.ConnectionString }).Table("studies");
        await table.CreateIfAbsentAsync(CancellationToken.None);
        var rows = Enumerable.Range(0, studies).Select(Row).ToList();
        foreach (var partition in rows.GroupBy(row => row.PartitionKey))
            foreach (var batch in partition.Chunk(100))
                if (!(await table.SubmitAsync([.. batch.Select(TableWrite.Insert)], CancellationToken.None)).IsOk)
                    throw new InvalidOperationException("The rows were refused.");
    }

    private static TableRow Row(int number)
    {
        var study = Uid.Parse($"1.2.840.99.{number + 1}");
        var date = new DateTime(2024, 1, 1, 0, 0, 0, DateTimeKind.Utc).AddHours(number % 8_000).ToString("yyyyMMdd", CultureInfo.InvariantCulture);
        var (partition, key) = SearchClaims.StudyRow(SearchText.NewestFirst(date, "120000"), study);
        var row = new TableRow(partition, key) { ["SV"] = Layout.SchemaVersion, ["V"] = 1L };
        row.SetBytes("A", Encoding.UTF8.GetBytes($$$"""
            {"00080020":{"vr":"DA","Value":["{{{date}}}"]},"00080030":{"vr":"TM","Value":["120000"]},"00080050":{"vr":"SH",
            "Value":["A{{{number}}}"]},"00080061":{"vr":"CS","Value":["CT"]},"00081030":{"vr":"LO","Value":["CHEST"]},"00100010":{"vr":"PN",
            "Value":[{"Alphabetic":"DOE^{{{number}}}"}]},"00100020":{"vr":"LO","Value":["P{{{number}}}"]},"0020000D":{"vr":"UI",
            "Value":["{{{study}}}"]},"00200010":{"vr":"SH","Value":["S{{{number}}}"]},"00201206":{"vr":"IS","Value":[1]},"00201208":{"vr":"IS","Value":[1]}}
            """));
        return row;
    }
}
