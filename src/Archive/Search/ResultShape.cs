using System.Buffers;
using System.Text;
using System.Text.Json;
using DicomServerless.Archive.Index;
using DicomServerless.Dicom;
using DicomServerless.Dicom.Matching;

namespace DicomServerless.Archive.Search;

/// <summary>
/// Makes results of what is known of a study, series and instance: the attributes of PS3.18 tables 10.6.3-3 to -5, the match keys, and what was asked for.
/// </summary>
internal sealed class ResultShape
{
    private readonly QidoQuery query;
    private readonly string baseUrl;
    private readonly HashSet<Tag> required, optional;

    public ResultShape(QidoQuery query, string baseUrl)
    {
        (this.query, this.baseUrl) = (query, baseUrl);
        (required, optional) = Wanted(query);
    }

    // Those marked required are returned empty where the data has none (D2.14).
    internal static readonly Tag[] StudyRequired =
    [
        Tags.StudyDate, Tags.StudyTime, Tags.AccessionNumber, Tags.ModalitiesInStudy, Tags.ReferringPhysicianName, Tags.PatientName, Tags.PatientID,
        Tags.PatientBirthDate,
        Tags.PatientSex, Tags.StudyInstanceUID, Tags.StudyID, Tags.NumberOfStudyRelatedSeries, Tags.NumberOfStudyRelatedInstances,
    ];

    internal static readonly Tag[] StudyOptional = [Tags.TimezoneOffsetFromUTC, Tags.StudyDescription];

    internal static readonly Tag[] SeriesRequired = [Tags.Modality, Tags.SeriesInstanceUID, Tags.SeriesNumber, Tags.NumberOfSeriesRelatedInstances];

    internal static readonly Tag[] SeriesOptional =
    [
        Tags.TimezoneOffsetFromUTC, Tags.SeriesDescription, Tags.PerformedProcedureStepStartDate, Tags.PerformedProcedureStepStartTime,
        Tags.RequestAttributesSequence,
        Tags.StudyInstanceUID,
    ];

    internal static readonly Tag[] InstanceRequired = [Tags.SOPClassUID, Tags.SOPInstanceUID, Tags.InstanceNumber];

    internal static readonly Tag[] InstanceOptional =
    [
        Tags.TimezoneOffsetFromUTC, Tags.Rows, Tags.Columns, Tags.BitsAllocated, Tags.NumberOfFrames, Tags.StudyInstanceUID, Tags.SeriesInstanceUID,
    ];

    /// <summary>One result.</summary>
    /// <param name="path">The resource behind the base URL, such as <c>/studies/1.2</c>.</param>
    /// <param name="known">The attributes known at each level, the most general first.</param>
    /// <param name="below">Where keys of lower levels were found: of these only the keys are returned.</param>
    /// <param name="transferSyntax">Of an instance, as it is stored.</param>
    /// <param name="isOwn">Whether the last level is a whole object: then the others give only what no object has itself, such as counts.</param>
    public byte[] Make(string path, ReadOnlySpan<JsonElement> known, IReadOnlyList<JsonElement>? below = null, string? transferSyntax = null,
        bool isOwn = false)
    {
        var result = new SortedDictionary<Tag, string>();
        foreach (var level in below ?? [])
        {
            foreach (var key in query.Keys) Copy(level, key, result);
        }
        for (var i = 0; i < known.Length; i++)
        {
            var level = known[i];
            var isComputedOnly = isOwn && i < known.Length - 1;
            foreach (var attribute in level.EnumerateObject())
            {
                if (!Tag.TryParse(attribute.Name, out var tag) || (isComputedOnly && KeyLevels.IsOwn(tag))) continue;
                if (query.IncludeAll || required.Contains(tag) || optional.Contains(tag)) result[tag] = attribute.Value.GetRawText();
            }
            foreach (var key in query.Keys.Concat(query.Fields))
                if (!isComputedOnly || !KeyLevels.IsOwn(key.Tag)) Copy(level, key, result);
        }
        foreach (var tag in required) result.TryAdd(tag, Empty(tag));
        foreach (var key in query.Keys) AddEmpty(key, result);
        // So that who retrieves knows which presentation contexts it takes (PS3.18 table 10.6.3-5).
        if (transferSyntax is { Length: > 0 }) result[Tags.AvailableTransferSyntaxUID] = $$"""{"vr":"UI","Value":["{{transferSyntax}}"]}""";
        result[Tags.InstanceAvailability] = """{"vr":"CS","Value":["ONLINE"]}""";
        result[Tags.RetrieveURL] = $$"""{"vr":"UR","Value":["{{JsonEncodedText.Encode(baseUrl + path)}}"]}""";
        return Write(result);
    }

    // A private element comes with its creator, in the block that the object has it in.
    private static void Copy(JsonElement level, RequestedAttribute asked, SortedDictionary<Tag, string> result)
    {
        foreach (var tag in asked.Creator is { } creator ? PrivateBlocks.Find(level, asked.Tag, creator) : [asked.Tag])
        {
            if (!level.TryGetProperty(tag.ToString(), out var value)) continue;
            result[tag] = value.GetRawText();
            if (tag.IsPrivate && level.TryGetProperty(PrivateBlocks.CreatorOf(tag)
                .ToString(), out var owner)) result[PrivateBlocks.CreatorOf(tag)] = owner.GetRawText();
        }
    }

    private static void AddEmpty(RequestedAttribute key, SortedDictionary<Tag, string> result)
    {
        if (key.Creator is null)
        {
            result.TryAdd(key.Tag, Empty(key.Tag));
            return;
        }
        var creator = $$"""{"vr":"LO","Value":["{{JsonEncodedText.Encode(key.Creator)}}"]}""";
        foreach (var (tag, json) in result)
            if (tag.Group == key.Tag.Group && tag.IsPrivateCreator && json == creator
                && result.ContainsKey(new Tag(tag.Group, (ushort)((tag.Element << 8) | (key.Tag.Element & 0xFF))))) return;
        // Where another creator has that block already, an empty element in it would be that one's.
        if (result.TryGetValue(PrivateBlocks.CreatorOf(key.Tag), out var present) && present != creator) return;
        result[PrivateBlocks.CreatorOf(key.Tag)] = creator;
        result.TryAdd(key.Tag, Empty(key.Tag));
    }

    private static (HashSet<Tag> Required, HashSet<Tag> Optional) Wanted(QidoQuery query)
    {
        var (required, optional) = (new HashSet<Tag>(), new HashSet<Tag>());
        var withStudy = query.Level == QidoLevel.Study || query.Study is null;
        var withSeries = query.Level == QidoLevel.Series || (query.Level == QidoLevel.Instance && query.Series is null);
        if (withStudy) (required, optional) = ([.. StudyRequired], [.. StudyOptional]);
        if (withSeries)
        {
            required.UnionWith(SeriesRequired);
            optional.UnionWith(SeriesOptional);
        }
        if (query.Level == QidoLevel.Instance)
        {
            required.UnionWith(InstanceRequired);
            optional.UnionWith(InstanceOptional);
        }
        return (required, optional);
    }

    private static string Empty(Tag tag) => $$"""{"vr":"{{DicomDictionary.VrOf(tag).Code()}}"}""";

    private static byte[] Write(SortedDictionary<Tag, string> attributes)
    {
        var text = new StringBuilder("{");
        foreach (var (tag, json) in attributes) text.Append(text.Length == 1 ? "" : ",").Append('"').Append(tag.ToString()).Append("\":").Append(json);
        return Encoding.UTF8.GetBytes(text.Append('}').ToString());
    }
}
