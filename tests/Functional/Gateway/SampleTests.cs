using System.Net.Http.Headers;
using DicomServerless.Dicom;
using DicomServerless.Dicom.Network;
using DicomServerless.Shared;

namespace DicomServerless.Functional.Gateway;

/// <summary>
/// Every sample in its own transfer syntax: what is acknowledged arrives bit for bit, and what the archive would refuse is refused at C-STORE.
/// </summary>
public sealed class SampleTests(GatewaySystem system) : IClassFixture<GatewaySystem>
{
    private sealed record Item(string Path, byte[] File, long Offset, string SopClass, string Sop, string TransferSyntax)
    {
        public ReadOnlyMemory<byte> DataSet => File.AsMemory((int)Offset);
    }

    [Fact]
    public async Task Every_sample_arrives_as_it_is_or_is_refused_as_the_archive_refuses_it()
    {
        var folder = Repository.SharedSamples ?? Path.Combine(Repository.Root, "tests/Samples");
        var items = Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(Read).OfType<Item>().ToList();
        Assert.True(items.Count >= 15);
        var problems = new List<string>();
        var (identical, refused, syntaxes) = (0, 0, new HashSet<string>());
        // Files that share a SOP Instance UID go one after the other; the AE replaces.
        var waves = items.GroupBy(item => item.Sop).SelectMany(same => same.Select((item, number) => (item, number)))
            .GroupBy(pair => pair.number, pair => pair.item).OrderBy(wave => wave.Key);
        foreach (var wave in waves)
        {
            var stored = new List<Item>();
            foreach (var group in wave.GroupBy(item => (item.SopClass, item.TransferSyntax)))
            {
                await using var association = await Modality.ConnectAsync(system.Gateway, Modality.Storage(group.Key.SopClass, group.Key.TransferSyntax));
                foreach (var item in group)
                {
                    if (association.FindContext(Uid.Parse(item.SopClass)) is null)
                    {
                        problems.Add($"{item.Path}: no context for {item.SopClass} in {item.TransferSyntax}");
                        continue;
                    }
                    var answer = await Modality.AnswerAsync(association, item.DataSet, item.Sop, Uid.Parse(item.SopClass));
                    if (answer.Status == DimseStatus.Success)
                    {
                        stored.Add(item);
                        syntaxes.Add(item.TransferSyntax);
                        continue;
                    }
                    refused++;
                    if (answer.ErrorComment is not { Length: > 0 }) problems.Add($"{item.Path}: {answer.Status:X4} without a reason");
                    if (answer.Status != 0xA900 && await IsTakenAsync(item))
                        problems.Add($"{item.Path}: the archive takes what was refused with {answer.Status:X4} {answer.ErrorComment}");
                }
                await association.ReleaseAsync(default);
            }
            await system.Gateway.WaitUntilDrainedAsync();
            foreach (var item in stored)
            {
                using var scanner = new InstanceScanner();
                scanner.Push(item.File);
                scanner.Complete();
                var key = InstanceUids.Read(scanner.Result!.DataSet).Key;
                var got = await WadoDataSet.GetAsync(system.Http, system.DicomWeb, key.Study.Value, key.Series.Value, key.Sop.Value);
                if (got is null) problems.Add($"{item.Path}: not in the archive");
                else if (!item.DataSet.Span.SequenceEqual(got)) problems.Add($"{item.Path}: other bytes");
                else identical++;
            }
        }
        Console.WriteLine($"Samples over DIMSE: {items.Count} sent, {identical} identical in {syntaxes.Count} transfer syntaxes, {refused} refused");
        Assert.True(problems.Count == 0, string.Join('\n', problems));
    }

    // What can be sent at all: its transfer syntax is known, and the command needs SOP class and instance. From group 0002, or else from the data set.
    private static Item? Read(string path)
    {
        var file = File.ReadAllBytes(path);
        if (file.Length < 144 || !file.AsSpan(128, 4).SequenceEqual("DICM"u8)) return null;
        using var scanner = new InstanceScanner();
        scanner.Push(file);
        scanner.Complete();
        if (scanner.FileMeta is not { TransferSyntax: { } syntax } meta || scanner.DataSetOffset is not { } offset) return null;
        var uids = scanner.Result is { } scan ? InstanceUids.Read(scan.DataSet) : default;
        var sopClass = uids.Problem is null && uids.SopClassUid is { Length: > 0 } known ? known : meta.MediaStorageSopClass?.Value;
        var sop = uids.Problem is null && !uids.Key.Sop.IsEmpty ? uids.Key.Sop.Value : meta.MediaStorageSopInstance?.Value;
        // Directories, palettes and private classes belong to no study.
        return sop is null || sopClass is null || !UidNames.IsArchivable(sopClass) || TransferSyntax.Find(syntax) is null ? null
            : new Item(path, file, offset, sopClass, sop, syntax.Value);
    }

    private async Task<bool> IsTakenAsync(Item item)
    {
        var sent = Part10.Header(Uid.Parse(item.SopClass), Uid.Parse(item.Sop), Uid.Parse(item.TransferSyntax)).Concat(item.DataSet.ToArray()).ToArray();
        using var part = new ByteArrayContent(sent) { Headers = { ContentType = new MediaTypeHeaderValue("application/dicom") } };
        using var body = new MultipartContent("related", "x") { part };
        body.Headers.ContentType = MediaTypeHeaderValue.Parse("multipart/related; type=\"application/dicom\"; boundary=x");
        using var answer = await system.Http.PostAsync(system.DicomWeb + "/studies", body);
        return answer.IsSuccessStatusCode;
    }
}
