using System.Buffers;
using System.Text;
using System.Text.Json;

namespace DicomServerless.Dicom;

/// <summary>One run of <see cref="DicomJsonReader"/>: where it is in the text, and the data set so far.</summary>
internal sealed class DicomJsonState(DicomLimits limits, IDictionary<string, string>? bulkDataUris, bool keepCharacterSets)
{
    private readonly DataSetBuilder builder = new();
    private readonly ArrayBufferWriter<byte> value = new();
    private readonly Stack<(Tag Tag, int Item, Tag Last)> open = new(); // around the current item: its sequence, its number, and the last tag outside
    private Tag last;
    private Tag current;
    private int elements;
    private long lookedAhead;
    private bool ascends = true;
    private bool needsCharacterSet;
    private bool hasCharacterSet;
    private DataSet? sorted;

    public DicomJsonError? Error { get; private set; }

    public string Path
    {
        get
        {
            var path = new StringBuilder();
            foreach (var (tag, item, _) in open.Reverse()) path.Append(tag).Append('/').Append(item).Append('/');
            return current.Value == 0 ? path.ToString().TrimEnd('/') : path.Append(current).ToString();
        }
    }

    /// <summary>Reads the one object. False with an <see cref="Error"/>.</summary>
    public bool Read(ref Utf8JsonReader reader)
    {
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) return Fail("is no object");
        while (reader.Read())
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.PropertyName:
                    if (!ReadElement(ref reader)) return false;
                    break;
                case JsonTokenType.EndObject when open.Count == 0:
                    return Finish();
                // The end of an item: another follows, or the sequence and its element end.
                default:
                    var (tag, item, outer) = open.Pop();
                    builder.EndItem();
                    current = default;
                    if (!reader.Read()) return Fail("ends too early");
                    if (reader.TokenType == JsonTokenType.StartObject) BeginItem(tag, item + 1, outer);
                    else if (!EndSequence(ref reader, tag, outer)) return false;
                    break;
            }
        }
        return Fail("ends too early");
    }

    /// <summary>The data set.</summary>
    public DataSet Build() => sorted ?? builder.Build();

    private bool Fail(string detail)
    {
        Error = new DicomJsonError(Path, detail);
        return false;
    }

    private void BeginItem(Tag tag, int item, Tag outer)
    {
        builder.BeginItem();
        open.Push((tag, item, outer));
        (last, current) = (default, default);
    }

    private bool EndSequence(ref Utf8JsonReader reader, Tag tag, Tag outer)
    {
        (current, last) = (tag, outer);
        if (reader.TokenType != JsonTokenType.EndArray) return Fail("has something in its Value that is no item");
        builder.EndSequence();
        return SkipRest(ref reader);
    }

    private bool ReadElement(ref Utf8JsonReader reader)
    {
        if (!Tag.TryParse(reader.GetString(), out var tag)) return Fail("has a member that is no tag");
        current = tag;
        // Keys may stand in any order, but each once; the last step sorts where they do not ascend.
        if (open.Count > 0 || elements > 0) ascends &= tag > last;
        last = tag;
        if (++elements > limits.MaxElements) return Fail($"is one of more than {limits.MaxElements}");
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) return Fail("is no object");
        if (!TryFindVr(reader, out var vr)) return false;
        hasCharacterSet |= open.Count == 0 && tag == Tags.SpecificCharacterSet;

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("Value"u8)) return vr == Vr.SQ ? ReadItems(ref reader, tag) : ReadValues(ref reader, tag, vr) && SkipRest(ref reader);
            if (reader.ValueTextEquals("InlineBinary"u8)) return ReadBinary(ref reader, tag, vr) && SkipRest(ref reader);
            if (reader.ValueTextEquals("BulkDataURI"u8)) return ReadBulk(ref reader, tag, vr) && SkipRest(ref reader);
            reader.Skip();
        }
        if (vr == Vr.SQ)
        {
            builder.BeginSequence(tag);
            builder.EndSequence();
        }
        else builder.Add(tag, vr, []);
        return true;
    }

    // vr may stand behind Value (a serializer that sorts its keys): look for it on a copy of the reader, within a budget.
    private bool TryFindVr(Utf8JsonReader reader, out Vr vr)
    {
        vr = Vr.None;
        var start = reader.BytesConsumed;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isVr = reader.ValueTextEquals("vr"u8);
            reader.Read();
            if (isVr)
            {
                if (reader.TokenType == JsonTokenType.String && reader.GetString() is [var a, var b]) vr = (Vr)((a << 8) | (b & 0xFF));
                break;
            }
            reader.Skip();
            lookedAhead += reader.BytesConsumed - start;
            if (lookedAhead > 4 * limits.MaxHeaderBytes) return Fail("has its vr behind its value, too deep to look for it");
        }
        return vr.IsKnown() || Fail("has no known vr");
    }

    private bool ReadItems(ref Utf8JsonReader reader, Tag tag)
    {
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartArray) return Fail("has a Value that is no array");
        if (open.Count >= limits.MaxDepth) return Fail($"is nested deeper than {limits.MaxDepth} levels");
        builder.BeginSequence(tag);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject) return EndSequence(ref reader, tag, last);
        BeginItem(tag, 1, last);
        return true;
    }

    // To the end of the element's object.
    private bool SkipRest(ref Utf8JsonReader reader)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("Value"u8) || reader.ValueTextEquals("InlineBinary"u8) || reader.ValueTextEquals("BulkDataURI"u8))
                return Fail("has more than one value");
            reader.Skip();
        }
        current = default;
        return true;
    }

    private bool ReadValues(ref Utf8JsonReader reader, Tag tag, Vr vr)
    {
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartArray) return Fail("has a Value that is no array");
        value.ResetWrittenCount();
        for (var count = 0; reader.Read() && reader.TokenType != JsonTokenType.EndArray; count++)
        {
            if (count > 0 && vr.IsSingleText()) return Fail("has several values, which its VR cannot have");
            if (count > 0 && vr.IsText()) value.Write("\\"u8);
            var accepted = reader.TokenType == JsonTokenType.Null ? vr.IsText()
                : vr == Vr.PN && reader.TokenType == JsonTokenType.StartObject ? TryName(ref reader)
                : vr == Vr.PN ? JsonValue.TryString(ref reader, vr, value) : JsonValue.TryAppend(ref reader, vr, value);
            if (!accepted) return Fail($"has a value that {vr} cannot have");
            if (value.WrittenCount > limits.MaxElementLength) return Fail($"is longer than {limits.MaxElementLength} bytes");
        }
        if (tag == Tags.SpecificCharacterSet && !keepCharacterSets) return Add(tag, vr, "ISO_IR 192"u8);
        needsCharacterSet |= NeedsCharacterSet(vr, value.WrittenSpan);
        return Add(tag, vr, value.WrittenSpan);
    }

    private bool TryName(ref Utf8JsonReader reader)
    {
        var groups = new string?[3];
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var group = reader.ValueTextEquals("Alphabetic"u8) ? 0 : reader.ValueTextEquals("Ideographic"u8)
                ? 1 : reader.ValueTextEquals("Phonetic"u8) ? 2 : -1;
            if (!reader.Read()) return false;
            if (group >= 0 && reader.TokenType == JsonTokenType.String) groups[group] = reader.GetString();
            else reader.Skip();
        }
        var text = string.Join('=', groups).TrimEnd('=');
        if (text.Contains('\\', StringComparison.Ordinal) || groups.Any(g => g is not null && g.Contains('=', StringComparison.Ordinal))) return false;
        Encoding.UTF8.GetBytes(text, value);
        return true;
    }

    private bool ReadBinary(ref Utf8JsonReader reader, Tag tag, Vr vr)
    {
        if (vr == Vr.SQ || !reader.Read() || reader.TokenType != JsonTokenType.String || !reader.TryGetBytesFromBase64(out var bytes))
            return Fail("has an InlineBinary that is no base64");
        needsCharacterSet |= NeedsCharacterSet(vr, bytes);
        return bytes.Length <= limits.MaxElementLength ? Add(tag, vr, bytes) : Fail($"is longer than {limits.MaxElementLength} bytes");
    }

    // Without one a byte above ASCII and an escape would be read by the rules of the default repertoire (PS3.3 C.12.1.1.2).
    private static bool NeedsCharacterSet(Vr vr, ReadOnlySpan<byte> value) => vr.UsesCharacterSet() && (!Ascii.IsValid(value) || value.Contains((byte)0x1B));

    private bool ReadBulk(ref Utf8JsonReader reader, Tag tag, Vr vr)
    {
        if (vr == Vr.SQ || !reader.Read() || reader.TokenType != JsonTokenType.String) return Fail("has a BulkDataURI that is no string");
        builder.AddBulk(tag, vr, 0, 0);
        bulkDataUris?.TryAdd(Path, reader.GetString()!);
        return true;
    }

    private bool Add(Tag tag, Vr vr, ReadOnlySpan<byte> bytes)
    {
        if (builder.MemoryUsed + bytes.Length > limits.MaxHeaderBytes) return Fail($"makes the data set larger than {limits.MaxHeaderBytes} bytes");
        builder.BeginValue(tag, vr, bytes.Length + (bytes.Length & 1), isBigEndian: false, offset: 0);
        builder.AppendValue(bytes);
        // PS3.5 6.2: even length, padded with a space, UI and bytes with NUL.
        if ((bytes.Length & 1) != 0) builder.AppendValue(vr.IsText() && vr != Vr.UI ? " "u8 : "\0"u8);
        return true;
    }

    private bool Finish() => ascends && (hasCharacterSet || !needsCharacterSet) || TrySort();

    private bool TrySort()
    {
        sorted = DataSetSort.TrySort(builder.Build(), needsCharacterSet && !hasCharacterSet, out var duplicate);
        current = duplicate;
        return sorted is not null || Fail("occurs twice in one object");
    }
}
