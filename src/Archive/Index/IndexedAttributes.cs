using DicomServerless.Dicom;

namespace DicomServerless.Archive.Index;

/// <summary>Which attributes the study and series rows hold (PS3.18 tables 10.6.1-5 and 10.6.3-3 to -5, and what hospital lists and viewers ask beyond them).</summary>
internal static class IndexedAttributes
{
    /// <summary>A longer attribute is not held in study and series rows; the metadata has it all the same. Bytes of DICOM JSON.</summary>
    public const int MaxAttributeBytes = 128 * 1024;

    /// <summary>Patient and study attributes, ascending.</summary>
    public static readonly Tag[] Study =
    [
        new(0x00080020), new(0x00080030), new(0x00080050), new(0x00080051), new(0x00080080), new(0x00080090), new(0x00080096), new(0x00080201), new(0x00081030),
        new(0x00081032), new(0x00081048), new(0x00081060), new(0x00081080), new(0x00081110), new(0x00100010), new(0x00100020), new(0x00100021), new(0x00100022),
        new(0x00100024), new(0x00100030), new(0x00100032), new(0x00100040), new(0x00101000), new(0x00101001), new(0x00101002), new(0x00101010), new(0x00101020),
        new(0x00101030), new(0x00102110), new(0x00102160), new(0x00102180), new(0x001021B0), new(0x001021C0), new(0x00102201), new(0x00102202), new(0x00102297),
        new(0x00104000), new(0x00200010), new(0x00321032), new(0x00321033), new(0x00321060), new(0x00321064), new(0x00380010), new(0x00401012),
    ];

    /// <summary>Series, equipment and frame of reference attributes, ascending.</summary>
    public static readonly Tag[] Series =
    [
        new(0x00080021), new(0x00080031), new(0x00080060), new(0x00080064), new(0x00080068), new(0x00080070), new(0x00080080), new(0x00080081), new(0x00080201),
        new(0x00081010), new(0x0008103E), new(0x0008103F), new(0x00081040), new(0x00081050), new(0x00081070), new(0x00081072), new(0x00081090), new(0x00081111),
        new(0x00180015), new(0x00180087), new(0x00181000), new(0x00181008), new(0x00181020), new(0x00181030), new(0x00185100), new(0x0020000D),
        new(0x00200011), new(0x00200052), new(0x00200060), new(0x00201040), new(0x00400244), new(0x00400245), new(0x00400250), new(0x00400251), new(0x00400253),
        new(0x00400254), new(0x00400260), new(0x00400275), new(0x00400555), new(0x00401001),
    ];

    /// <summary>Instance attributes that a search returns without being asked, ascending; everything else comes from the metadata.</summary>
    public static readonly Tag[] Instance =
    [
        new(0x00080008), new(0x00080016), new(0x00080018), new(0x00080022), new(0x0008002A), new(0x00080032), new(0x00080023), new(0x00080033), new(0x00080201),
        new(0x00200012), new(0x00200013), new(0x00280008), new(0x00280010), new(0x00280011), new(0x00280100), new(0x0040A043), new(0x0040A491), new(0x0040A493),
        new(0x00420010), new(0x00420012), new(0x00700080), new(0x00700081),
    ];
}
