using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using DicomServerless.Dicom;

namespace DicomServerless.Archive.Index;

/// <summary>A study's and a series' full QIDO answers as DICOM JSON, without RetrieveURL, which depends on who asks.</summary>
internal static class StudyAnswer
{
    /// <summary>The study's answer: its attributes, what its series add up to, and the counts (PS3.18 table 10.6.3-3).</summary>
    public static byte[] Of(StudyState study)
    {
        var answer = new SortedDictionary<Tag, byte[]>();
        foreach (var (tag, _, json) in study.Attributes.All) answer[tag] = json;
        answer[Tags.ModalitiesInStudy] = Strings("CS", study.Modalities.Keys);
        answer[Tags.SOPClassesInStudy] = Strings("UI", study.SopClasses.Keys);
        answer[Tags.StudyInstanceUID] = Strings("UI", [study.Study.Value]);
        answer[Tags.NumberOfStudyRelatedSeries] = Number(study.SeriesCount);
        answer[Tags.NumberOfStudyRelatedInstances] = Number(study.Instances);
        return Write(answer);
    }

    /// <summary>The series' answer (PS3.18 table 10.6.3-4).</summary>
    public static byte[] Of(Uid study, SeriesState series)
    {
        var answer = new SortedDictionary<Tag, byte[]>();
        foreach (var (tag, _, json) in series.Attributes.All) answer[tag] = json;
        answer[Tags.StudyInstanceUID] = Strings("UI", [study.Value]);
        answer[Tags.SeriesInstanceUID] = Strings("UI", [series.Series.Value]);
        answer[Tags.NumberOfSeriesRelatedInstances] = Number(series.Instances);
        return Write(answer);
    }

    private static byte[] Number(int value) => Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{{\"vr\":\"IS\",\"Value\":[{value}]}}"));

    private static byte[] Strings(string vr, IEnumerable<string> values)
    {
        var buffer = new ArrayBufferWriter<byte>(128);
        using (var writer = new Utf8JsonWriter(buffer, AttributeJson.WriterOptions))
        {
            writer.WriteStartObject();
            writer.WriteString("vr", vr);
            if (values.Any())
            {
                writer.WriteStartArray("Value");
                foreach (var value in values) writer.WriteStringValue(value);
                writer.WriteEndArray();
            }
            writer.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    private static byte[] Write(SortedDictionary<Tag, byte[]> answer)
    {
        var buffer = new ArrayBufferWriter<byte>(2048);
        using (var writer = new Utf8JsonWriter(buffer, AttributeJson.WriterOptions))
        {
            writer.WriteStartObject();
            foreach (var (tag, json) in answer)
            {
                writer.WritePropertyName(tag.ToString());
                writer.WriteRawValue(json, skipInputValidation: true);
            }
            writer.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }
}
