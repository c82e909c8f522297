namespace DicomServerless.Dicom;

/// <summary>Where a value stands that the header does not keep.</summary>
/// <param name="Path">The element in its data set: <c>7FE00010</c>, nested <c>54000100/1/54001010</c> (tag / item from 1 / tag).</param>
/// <param name="Tag">The element's tag.</param>
/// <param name="Vr">Its VR.</param>
/// <param name="Offset">The first byte of the value, counted from the start of the data set; of a deflated one, from the start of the inflated bytes.</param>
/// <param name="Length">Bytes of the value. Of encapsulated data: from the Basic Offset Table's item tag to the delimiter, which is not counted.</param>
/// <param name="IsBigEndian">Whether its numbers are big endian as stored.</param>
/// <param name="IsEncapsulated">Whether the value is fragments (PS3.5 A.4); the frame table of the top-level Pixel Data has their offsets.</param>
public sealed record BulkValue(string Path, Tag Tag, Vr Vr, long Offset, long Length, bool IsBigEndian, bool IsEncapsulated)
{
    // PS3.18 F.2.6 and D5.1: text that must be searched and shown never is behind a URI.
    /// <summary>Whether a value of this VR may be bulk data (PS3.18 table F.3.1-1: DS FL FD IS LT OB OD OF OL OV OW SL SS ST SV UC UL UN US UT UV).</summary>
    public static bool IsPermitted(Vr vr) =>
        vr is Vr.DS or Vr.FL or Vr.FD or Vr.IS or Vr.LT or Vr.OB or Vr.OD or Vr.OF or Vr.OL or Vr.OV or Vr.OW or Vr.SL or Vr.SS
        or Vr.ST or Vr.SV or Vr.UC or Vr.UL or Vr.UN or Vr.US or Vr.UT or Vr.UV || !vr.IsKnown();
}
