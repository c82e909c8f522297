using System.Xml;

namespace DicomServerless.Dicom;

/// <summary>The words of the Native DICOM Model (PS3.19 A.1), media type application/dicom+xml.</summary>
internal static class NativeDicomModel
{
    /// <summary>PS3.19 A.1.6: the namespace that we write. Documents without one are read too, because common writers leave it out.</summary>
    public const string Namespace = "http://dicom.nema.org/PS3.19/models/NativeDICOM";

    public const string Root = "NativeDicomModel", Attribute = "DicomAttribute", Value = "Value",
        Item = "Item", Name = "PersonName", BulkData = "BulkData", InlineBinary = "InlineBinary";

    public static readonly string[] Groups = ["Alphabetic", "Ideographic", "Phonetic"];
    public static readonly string[] Components = ["FamilyName", "GivenName", "MiddleName", "NamePrefix", "NameSuffix"];

    /// <summary>Whether XML 1.0 can hold the text (XML 2.2): it has no control characters but tab, LF and CR, not even escaped ones.</summary>
    public static bool CanHold(ReadOnlySpan<char> text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (XmlConvert.IsXmlChar(text[i])) continue;
            if (i + 1 == text.Length || !XmlConvert.IsXmlSurrogatePair(text[i + 1], text[i])) return false;
            i++;
        }
        return true;
    }
}
