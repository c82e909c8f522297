using System.Globalization;
using System.Text;

namespace DicomServerless.Dicom;

/// <summary>
/// Metadata are UTF-8 whatever they state as Specific Character Set, and so is the object made of them. Where its texts need it, a statement of anything else
/// becomes ISO_IR 192, and what it said goes to Original Attributes Sequence (PS3.3 C.12.1.1.9). Texts of ASCII alone leave it true and as it is.
/// </summary>
public static class CharacterSetCoercion
{
    private static ReadOnlySpan<byte> Utf8 => "ISO_IR 192"u8;

    /// <summary>Whether a statement in the data set, or in an item of it, has to change.</summary>
    public static bool IsNeeded(DataSet dataSet)
    {
        ArgumentNullException.ThrowIfNull(dataSet);
        var (isStated, hasText) = (false, false);
        var store = dataSet.Store;
        for (var i = dataSet.First; i < dataSet.End; i++)
        {
            ref readonly var entry = ref store.Entries[i];
            var value = store.ValueOf(i).Span;
            if (entry.Tag == Tags.SpecificCharacterSet.Value) isStated |= !value.TrimEnd(" \0"u8).SequenceEqual(Utf8);
            else hasText |= entry.Vr.UsesCharacterSet() && !Ascii.IsValid(value);
        }
        return isStated && hasText;
    }

    /// <summary>The item that says what was changed: Attribute Modification DateTime, Modifying System, Reason COERCE and the former value.</summary>
    public static DataSet Describe(DataSet dataSet, DateTimeOffset now, string modifyingSystem)
    {
        ArgumentNullException.ThrowIfNull(dataSet);
        var builder = new DataSetBuilder();
        builder.BeginSequence(Tags.OriginalAttributesSequence);
        builder.BeginItem();
        builder.BeginSequence(Tags.ModifiedAttributesSequence);
        builder.BeginItem();
        Add(Tags.SpecificCharacterSet, Vr.CS, dataSet.ValueOf(Tags.SpecificCharacterSet).Span);
        builder.EndItem();
        builder.EndSequence();
        Add(Tags.AttributeModificationDateTime, Vr.DT,
            Encoding.ASCII.GetBytes(now.UtcDateTime.ToString("yyyyMMddHHmmss.ffffff+0000", CultureInfo.InvariantCulture)));
        Add(Tags.ModifyingSystem, Vr.LO, Encoding.ASCII.GetBytes(modifyingSystem));
        Add(Tags.SourceOfPreviousValues, Vr.LO, []);
        Add(Tags.ReasonForTheAttributeModification, Vr.CS, "COERCE"u8);
        builder.EndItem();
        builder.EndSequence();
        return builder.Build();

        void Add(Tag tag, Vr vr, ReadOnlySpan<byte> value) => builder.Add(tag, vr, (value.Length & 1) == 0 ? value : [.. value, (byte)' ']);
    }
}
