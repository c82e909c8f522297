using System.Text;
using DicomServerless.Archive;
using DicomServerless.Archive.Index;
using DicomServerless.Dicom;
using DicomServerless.Shared;

namespace DicomServerless.Unit.Archive;

/// <summary>The plain model: what the index must say, worked out from the blobs alone, in the simplest way.</summary>
internal sealed class IndexCheck(MemoryWorld world)
{
    private static readonly uint[] StudyTags = [0x00080020, 0x00100010, 0x00100020];

    public void Run()
    {
        var objects = world.Dicom.Blobs.Values.Select(blob => (blob.Info, DataSet: Read(blob.Bytes)))
            .Select(o => (o.Info, o.DataSet, Key: KeyOf(o.DataSet))).ToArray();
        foreach (var o in objects) Equal([Layout.BlobName(o.Key)], [o.Info.Name], "blob name");
        foreach (var study in world.Instances.Rows.Keys.Select(key => key.Partition).Concat(objects.Select(o => o.Key.Study.Value)).Distinct())
            CheckStudy(study, [.. objects.Where(o => o.Key.Study.Value == study)]);
        Equal(objects.Select(o => $"{Layout.UidPartition(o.Key.Sop)} {Layout.UidRowKey(o.Key)}"),
            world.Uids.Rows.Keys.Select(key => $"{key.Partition} {key.Row}"), "uids");
        Equal(objects.Select(o => o.Key.Study.Value).Distinct(), world.Studies.Rows.Keys.Select(key => key.Row.Split(':')[1]), "studies");
    }

    private void CheckStudy(string study, (DicomServerless.Storage.BlobInfo Info, DataSet DataSet, InstanceKey Key)[] objects)
    {
        var rows = world.Instances.Rows.Where(row => row.Key.Partition == study).ToDictionary(row => row.Key.Row, row => row.Value);
        Equal(objects.Select(o => $"{Layout.InstanceRowKey(o.Key.Name)} {o.Info.ETag}"),
            rows.Where(row => row.Key.StartsWith("i:", StringComparison.Ordinal)).Select(row => $"{row.Key} {row.Value.Text("ET")}"), "instances of " + study);
        Equal(objects.GroupBy(o => o.Key.Series.Value).Select(series => $"e:{series.Key} {series.Count()}"),
            rows.Where(row => row.Key.StartsWith("e:", StringComparison.Ordinal)).Select(row => $"{row.Key} {row.Value.Number("N")}"), "series of " + study);
        if (objects.Length == 0)
        {
            if (rows.Count > 0) throw new InvalidOperationException("Rows of a study without objects: " + string.Join(", ", rows.Keys));
            Equal([], PointersTo(study), "pointers to " + study);
            return;
        }
        var state = StudyState.FromRow(rows["s"]);
        Equal([objects.Length.ToString()], [state.Instances.ToString()], "count of " + study);
        // A study is of the patient whose object was received first, and takes its attributes from nobody else's.
        var patient = objects.Where(o => Text(o.DataSet, 0x00100020).Length > 0)
            .OrderBy(o => BlobMetadata.ReceivedAt(o.Info)).ThenBy(o => o.Key.Sop.Value, StringComparer.Ordinal)
            .Select(o => Text(o.DataSet, 0x00100020)).FirstOrDefault();
        var inOrder = objects.OrderBy(o => o.Key.Sop.Value, StringComparer.Ordinal).ToArray();
        foreach (var tag in StudyTags)
        {
            var expected = inOrder.Where(o => Text(o.DataSet, 0x00100020) is var id && (id.Length == 0 || id == patient))
                .Select(o => Text(o.DataSet, tag)).FirstOrDefault(text => text.Length > 0) ?? "";
            Equal([expected], [state.Attributes.First(new Tag(tag)) ?? ""], $"{tag:X8} of {study}");
        }
        Equal(objects.Select(o => Text(o.DataSet, 0x00100020)).Where(id => id.Length > 0).Distinct(), state.Patients.Ids, "patients of " + study);
        var modalities = inOrder.GroupBy(o => o.Key.Series).Select(series => Text(series.First().DataSet, 0x00080060))
            .Where(text => text.Length > 0).GroupBy(text => text).Select(group => $"{group.Key} {group.Count()}");
        Equal(modalities, state.Modalities.Select(pair => $"{pair.Key} {pair.Value}"), "modalities of " + study);
        var claims = SearchClaims.Of(state).ToArray();
        Equal(claims, state.Claims, "claims of " + study);
        Equal(claims.SelectMany(claim => SearchClaims.Pointers(claim, state.Study))
            .Concat(objects.Select(o => SearchClaims.SeriesPointer(o.Key.Series, state.Study)).Distinct()).Select(row => $"{row.Partition} {row.Row}"),
            PointersTo(study), "pointers to " + study);
        var search = world.Studies.Rows.Single(row => row.Key.Row.EndsWith(":" + study, StringComparison.Ordinal));
        Equal([Encoding.UTF8.GetString(StudyAnswer.Of(state))], [Encoding.UTF8.GetString(search.Value.GetBytes("A")!)], "search row of " + study);
        if (!claims.Contains($"st|{search.Key.Partition}|{search.Key.Row}"))
            throw new InvalidOperationException("The search row stands under another date: " + study);
    }

    private IEnumerable<string> PointersTo(string study) => world.Keys.Rows.Keys.Where(key => key.Row.EndsWith(":" + study, StringComparison.Ordinal))
        .Select(key => $"{key.Partition} {key.Row}");

    private static DataSet Read(byte[] file)
    {
        using var scanner = new InstanceScanner();
        scanner.Push(file);
        if (scanner.Complete() != ScanStatus.Complete) throw new InvalidOperationException(scanner.Error!.Message);
        return scanner.Result!.DataSet;
    }

    private static InstanceKey KeyOf(DataSet dataSet) => InstanceUids.Read(dataSet).Key;

    private static string Text(DataSet dataSet, uint tag) => Encoding.ASCII.GetString(dataSet.ValueOf(new Tag(tag)).Span).TrimEnd();

    private static void Equal(IEnumerable<string> expected, IEnumerable<string> actual, string what)
    {
        var (missing, extra) = (expected.Except(actual).ToArray(), actual.Except(expected).ToArray());
        if (missing.Length + extra.Length > 0 || expected.Distinct().Count() != actual.Count())
            throw new InvalidOperationException($"{what}: missing [{string.Join("; ", missing)}], too many [{string.Join("; ", extra)}]");
    }
}
