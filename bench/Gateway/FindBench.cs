using System.Diagnostics;
using System.Globalization;
using System.Text;
using DicomServerless.Archive;
using DicomServerless.Archive.Index;
using DicomServerless.Dicom;
using DicomServerless.Dicom.Network;
using DicomServerless.Shared;
using DicomServerless.Storage;
using DicomServerless.Storage.Azure;

namespace DicomServerless.Bench.Gateway;

/// <summary>C-FIND at study level over many studies: the first answer, all of them, and a C-CANCEL after the tenth. The index rows are made directly.</summary>
internal static class FindBench
{
    private const int Rounds = 5, CancelAfter = 10;

    public static async Task RunAsync(int studies)
    {
        using var azurite = await Azurite.StartAsync();
        using var functions = await FunctionsProcess.StartAsync(azurite.ConnectionString);
        await FillAsync(azurite, studies);
        await using var gateway = await GatewayProcess.StartAsync(functions.Url + "/dicomweb");
        var client = new AssociationClient(new AssociationOptions(), TimeProvider.System);
        await using var association = await client.ConnectAsync(
            new RemoteAe("127.0.0.1", gateway.DimsePort, "DICOMGW", "BENCH"),
                [new ContextProposal(WellKnownUids.StudyRootFind, [TransferSyntax.ExplicitVrLittleEndian.Uid])], CancellationToken.None);
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

    private static async Task<(double First, double All, int Count, ushort Status)> FindAsync(Association association, int? cancelAfter)
    {
        var identifier = new System.Buffers.ArrayBufferWriter<byte>();
        var writer = new DataSetWriter(identifier, DicomEncoding.ExplicitLittleEndian);
        writer.Write(Tags.StudyDate, Vr.DA, []);
        writer.Write(Tags.QueryRetrieveLevel, Vr.CS, "STUDY"u8);
        writer.Write(Tags.PatientName, Vr.PN, []);
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

    private static async Task FillAsync(Azurite azurite, int studies)
    {
        var table = new AzureStorageAccount(new AzureStorageOptions { ConnectionString = azurite.ConnectionString }, TimeProvider.System).Table("studies");
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
