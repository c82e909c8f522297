namespace DicomServerless.Dicom;

/// <summary>A value representation (PS3.5 6.2). The number is the two characters in the order in which they stand in the file, high byte first.</summary>
#pragma warning disable CA1028 // the wire form is 16 bits
public enum Vr : ushort
#pragma warning restore CA1028
{
    /// <summary>No VR: items, delimiters, or not known yet.</summary>
    None = 0,
    /// <summary>Application Entity.</summary>
    AE = ('A' << 8) | 'E',
    /// <summary>Age String.</summary>
    AS = ('A' << 8) | 'S',
    /// <summary>Attribute Tag.</summary>
    AT = ('A' << 8) | 'T',
    /// <summary>Code String.</summary>
    CS = ('C' << 8) | 'S',
    /// <summary>Date.</summary>
    DA = ('D' << 8) | 'A',
    /// <summary>Decimal String.</summary>
    DS = ('D' << 8) | 'S',
    /// <summary>Date Time.</summary>
    DT = ('D' << 8) | 'T',
    /// <summary>Floating Point Double.</summary>
    FD = ('F' << 8) | 'D',
    /// <summary>Floating Point Single.</summary>
    FL = ('F' << 8) | 'L',
    /// <summary>Integer String.</summary>
    IS = ('I' << 8) | 'S',
    /// <summary>Long String.</summary>
    LO = ('L' << 8) | 'O',
    /// <summary>Long Text.</summary>
    LT = ('L' << 8) | 'T',
    /// <summary>Other Byte.</summary>
    OB = ('O' << 8) | 'B',
    /// <summary>Other Double.</summary>
    OD = ('O' << 8) | 'D',
    /// <summary>Other Float.</summary>
    OF = ('O' << 8) | 'F',
    /// <summary>Other Long.</summary>
    OL = ('O' << 8) | 'L',
    /// <summary>Other 64-bit Very Long.</summary>
    OV = ('O' << 8) | 'V',
    /// <summary>Other Word.</summary>
    OW = ('O' << 8) | 'W',
    /// <summary>Person Name.</summary>
    PN = ('P' << 8) | 'N',
    /// <summary>Short String.</summary>
    SH = ('S' << 8) | 'H',
    /// <summary>Signed Long.</summary>
    SL = ('S' << 8) | 'L',
    /// <summary>Sequence of Items.</summary>
    SQ = ('S' << 8) | 'Q',
    /// <summary>Signed Short.</summary>
    SS = ('S' << 8) | 'S',
    /// <summary>Short Text.</summary>
    ST = ('S' << 8) | 'T',
    /// <summary>Signed 64-bit Very Long.</summary>
    SV = ('S' << 8) | 'V',
    /// <summary>Time.</summary>
    TM = ('T' << 8) | 'M',
    /// <summary>Unlimited Characters.</summary>
    UC = ('U' << 8) | 'C',
    /// <summary>Unique Identifier.</summary>
    UI = ('U' << 8) | 'I',
    /// <summary>Unsigned Long.</summary>
    UL = ('U' << 8) | 'L',
    /// <summary>Unknown.</summary>
    UN = ('U' << 8) | 'N',
    /// <summary>Universal Resource Identifier.</summary>
    UR = ('U' << 8) | 'R',
    /// <summary>Unsigned Short.</summary>
    US = ('U' << 8) | 'S',
    /// <summary>Unlimited Text.</summary>
    UT = ('U' << 8) | 'T',
    /// <summary>Unsigned 64-bit Very Long.</summary>
    UV = ('U' << 8) | 'V',
}

/// <summary>What the standard says of each value representation.</summary>
public static class VrExtensions
{
    /// <summary>True for the VRs of PS3.5 6.2.</summary>
    public static bool IsKnown(this Vr vr) => vr switch
    {
        Vr.AE or Vr.AS or Vr.AT or Vr.CS or Vr.DA or Vr.DS or Vr.DT or Vr.FD or Vr.FL or Vr.IS or Vr.LO or Vr.LT or Vr.OB or Vr.OD or Vr.OF or Vr.OL or Vr.OV
            or Vr.OW or Vr.PN or Vr.SH or Vr.SL or Vr.SQ or Vr.SS or Vr.ST or Vr.SV or Vr.TM or Vr.UC or Vr.UI or Vr.UL or Vr.UN or Vr.UR or Vr.US or Vr.UT
            or Vr.UV => true,
        _ => false,
    };

    /// <summary>
    /// True where explicit VR uses two reserved bytes and a 32-bit length (PS3.5 table 7.1-1). A VR that is not known is read so too (PS3.5 6.2.2).
    /// </summary>
    public static bool HasLongLength(this Vr vr) => vr switch
    {
        Vr.AE or Vr.AS or Vr.AT or Vr.CS or Vr.DA or Vr.DS or Vr.DT or Vr.FD or Vr.FL or Vr.IS or Vr.LO or Vr.LT or Vr.PN or Vr.SH or Vr.SL or Vr.SS or Vr.ST
            or Vr.TM or Vr.UI or Vr.UL or Vr.US => false,
        _ => true,
    };

    /// <summary>True where Specific Character Set applies (PS3.5 6.1.2.3): LO, LT, PN, SH, ST, UC, UT.</summary>
    public static bool UsesCharacterSet(this Vr vr) => vr is Vr.LO or Vr.LT or Vr.PN or Vr.SH or Vr.ST or Vr.UC or Vr.UT;

    /// <summary>True where the value is characters.</summary>
    public static bool IsText(this Vr vr) => vr is Vr.AE or Vr.AS or Vr.CS or Vr.DA or Vr.DS or Vr.DT or Vr.IS or Vr.TM or Vr.UI or Vr.UR
        || vr.UsesCharacterSet();

    /// <summary>True where the value is one text that a backslash does not split (PS3.5 6.4): LT, ST, UR, UT.</summary>
    public static bool IsSingleText(this Vr vr) => vr is Vr.LT or Vr.ST or Vr.UR or Vr.UT;

    /// <summary>Bytes that byte order turns around together: 2, 4 or 8; 1 where byte order does not matter. An AT value is two words of 2.</summary>
    public static int WordSize(this Vr vr) => vr switch
    {
        Vr.OW or Vr.SS or Vr.US or Vr.AT => 2,
        Vr.FL or Vr.OF or Vr.OL or Vr.SL or Vr.UL => 4,
        Vr.FD or Vr.OD or Vr.OV or Vr.SV or Vr.UV => 8,
        _ => 1,
    };

    /// <summary>The two letters.</summary>
    public static string Code(this Vr vr) => vr == Vr.None ? ""
        : string.Create(2, (ushort)vr, static (span, value) => (span[0], span[1]) = ((char)(value >> 8), (char)(value & 0xFF)));
}
