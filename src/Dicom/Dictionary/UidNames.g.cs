// Written by generate.py from uids.tsv. Change that, not this.
#nullable enable
namespace DicomServerless.Dicom;

public static partial class UidNames
{
    private const int Count = 402;

    // 0 SOP class, 1 meta SOP class, 2 transfer syntax, 3 other; bit 7: retired.
    private static ReadOnlySpan<byte> Kinds =>
    [
        0, 2, 2, 2, 2, 130, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2,
        2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2,
        130, 130, 130, 130, 130, 2, 130, 130, 130, 130, 130, 130, 130, 130, 130, 2,
        2, 2, 2, 2, 2, 2, 2, 2, 2, 130, 130, 2, 2, 2, 2, 130,
        0, 3, 128, 131, 0, 0, 3, 0, 3, 3, 3, 3, 3, 3, 3, 3,
        3, 128, 0, 0, 0, 0, 3, 128, 129, 128, 128, 128, 0, 0, 0, 128,
        129, 129, 128, 3, 0, 0, 0, 0, 0, 1, 129, 0, 0, 0, 128, 128,
        128, 128, 128, 128, 128, 129, 0, 0, 0, 128, 0, 3, 1, 129, 0, 0,
        0, 0, 0, 0, 0, 128, 0, 0, 0, 0, 0, 128, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 128, 128, 0, 0,
        128, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 128, 0, 0, 0,
        0, 0, 0, 0, 128, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 128, 0,
        0, 0, 0, 0, 0, 0, 128, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        128, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 128, 0, 0, 0, 0, 0, 0, 0, 0, 0, 128, 0,
        0, 0, 128, 0, 128, 0, 128, 0, 0, 0, 128, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 128, 128, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 128, 128, 128, 0, 0, 0, 0, 0, 0, 0,
        129, 128, 128, 128, 0, 128, 0, 128, 128, 131, 128, 128, 128, 128, 3, 3,
        3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0,
    ];

    // Where an entry's line starts in Texts.
    private static ReadOnlySpan<int> TextOffsets =>
    [
        0, 54, 121, 190, 312, 401, 464, 530, 612, 678, 760, 836, 928, 1020, 1128, 1219,
        1326, 1417, 1524, 1613, 1718, 1787, 1861, 1917, 1992, 2031, 2129, 2249, 2323, 2389, 2470, 2536,
        2609, 2679, 2801, 2923, 3045, 3167, 3248, 3346, 3446, 3546, 3665, 3784, 3899, 4014, 4105, 4196,
        4324, 4397, 4487, 4571, 4631, 4740, 4825, 4879, 4948, 4993, 5068, 5115, 5240, 5363, 5449, 5534,
        5620, 5708, 5809, 5897, 5998, 6080, 6157, 6247, 6340, 6446, 6517, 6579, 6661, 6737, 6805, 6873,
        6937, 7005, 7096, 7204, 7316, 7409, 7529, 7606, 7694, 7791, 7875, 7959, 8045, 8144, 8260, 8384,
        8472, 8569, 8662, 8764, 8812, 8880, 8932, 9005, 9054, 9153, 9250, 9359, 9419, 9474, 9540, 9607,
        9698, 9775, 9848, 9944, 10032, 10101, 10198, 10285, 10366, 10441, 10515, 10577, 10652, 10756, 10872, 10965,
        11079, 11191, 11328, 11463, 11597, 11729, 11817, 11895, 11973, 12051, 12129, 12207, 12285, 12402, 12556, 12708,
        12848, 12957, 13079, 13194, 13323, 13464, 13609, 13724, 13858, 13949, 14029, 14130, 14212, 14319, 14351, 14461,
        14574, 14657, 14755, 14853, 14951, 15087, 15219, 15298, 15389, 15561, 15729, 15787, 15864, 15973, 16059, 16161,
        16267, 16347, 16457, 16567, 16675, 16777, 16883, 16948, 17009, 17070, 17129, 17196, 17259, 17362, 17460, 17531,
        17589, 17666, 17740, 17828, 17937, 17966, 18028, 18112, 18200, 18278, 18384, 18481, 18569, 18660, 18759, 18869,
        18988, 19048, 19142, 19260, 19354, 19434, 19535, 19665, 19742, 19836, 19896, 19992, 20090, 20157, 20258, 20350,
        20423, 20552, 20677, 20779, 20848, 20917, 21019, 21100, 21176, 21255, 21337, 21418, 21521, 21603, 21707, 21791,
        21850, 21935, 22014, 22120, 22190, 22275, 22360, 22448, 22538, 22627, 22705, 22796, 22883, 23014, 23153, 23292,
        23423, 23497, 23581, 23673, 23759, 23853, 23973, 24061, 24157, 24271, 24387, 24486, 24588, 24760, 24912, 25062,
        25229, 25335, 25439, 25535, 25661, 25757, 25848, 25947, 26040, 26152, 26248, 26350, 26452, 26554, 26675, 26753,
        26900, 26992, 27080, 27152, 27223, 27297, 27365, 27441, 27519, 27602, 27674, 27764, 27836, 27917, 28019, 28088,
        28177, 28295, 28364, 28449, 28538, 28630, 28724, 28845, 28970, 29076, 29165, 29239, 29313, 29401, 29486, 29577,
        29674, 29775, 29899, 29985, 30098, 30194, 30283, 30374, 30460, 30572, 30702, 30794, 30890, 31005, 31094, 31190,
        31301, 31427, 31553, 31677, 31799, 31921, 32041, 32178, 32315, 32450, 32552, 32652, 32776, 32898, 33020, 33140,
        33243, 33354, 33472, 33585, 33698, 33799, 33909, 34043, 34152, 34243, 34363, 34468, 34575, 34680, 34787, 34879,
        34990, 35097, 35189, 35283, 35375, 35469, 35563, 35660, 35756, 35834, 35941, 36061, 36168, 36241, 36344, 36447,
        36548, 36615, 36740, 36865, 36988, 37079, 37160, 37248, 37366, 37484, 37600, 37690, 37810, 37930, 38048, 38132,
        38246, 38360, 38472,
    ];

    // UID, tab, keyword, tab, name; ordered by UID.
    private static ReadOnlySpan<byte> Texts => """
1.2.840.10008.1.1	Verification	Verification SOP Class
1.2.840.10008.1.2	ImplicitVRLittleEndian	Implicit VR Little Endian
1.2.840.10008.1.2.1	ExplicitVRLittleEndian	Explicit VR Little Endian
1.2.840.10008.1.2.1.98	EncapsulatedUncompressedExplicitVRLittleEndian	Encapsulated Uncompressed Explicit VR Little Endian
1.2.840.10008.1.2.1.99	DeflatedExplicitVRLittleEndian	Deflated Explicit VR Little Endian
1.2.840.10008.1.2.2	ExplicitVRBigEndian	Explicit VR Big Endian
1.2.840.10008.1.2.4.100	MPEG2MPML	MPEG2 Main Profile / Main Level
1.2.840.10008.1.2.4.100.1	MPEG2MPMLF	Fragmentable MPEG2 Main Profile / Main Level
1.2.840.10008.1.2.4.101	MPEG2MPHL	MPEG2 Main Profile / High Level
1.2.840.10008.1.2.4.101.1	MPEG2MPHLF	Fragmentable MPEG2 Main Profile / High Level
1.2.840.10008.1.2.4.102	MPEG4HP41	MPEG-4 AVC/H.264 High Profile / Level 4.1
1.2.840.10008.1.2.4.102.1	MPEG4HP41F	Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.1
1.2.840.10008.1.2.4.103	MPEG4HP41BD	MPEG-4 AVC/H.264 BD-compatible High Profile / Level 4.1
1.2.840.10008.1.2.4.103.1	MPEG4HP41BDF	Fragmentable MPEG-4 AVC/H.264 BD-compatible High Profile / Level 4.1
1.2.840.10008.1.2.4.104	MPEG4HP422D	MPEG-4 AVC/H.264 High Profile / Level 4.2 For 2D Video
1.2.840.10008.1.2.4.104.1	MPEG4HP422DF	Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.2 For 2D Video
1.2.840.10008.1.2.4.105	MPEG4HP423D	MPEG-4 AVC/H.264 High Profile / Level 4.2 For 3D Video
1.2.840.10008.1.2.4.105.1	MPEG4HP423DF	Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.2 For 3D Video
1.2.840.10008.1.2.4.106	MPEG4HP42STEREO	MPEG-4 AVC/H.264 Stereo High Profile / Level 4.2
1.2.840.10008.1.2.4.106.1	MPEG4HP42STEREOF	Fragmentable MPEG-4 AVC/H.264 Stereo High Profile / Level 4.2
1.2.840.10008.1.2.4.107	HEVCMP51	HEVC/H.265 Main Profile / Level 5.1
1.2.840.10008.1.2.4.108	HEVCM10P51	HEVC/H.265 Main 10 Profile / Level 5.1
1.2.840.10008.1.2.4.110	JPEGXLLossless	JPEG XL Lossless
1.2.840.10008.1.2.4.111	JPEGXLJPEGRecompression	JPEG XL JPEG Recompression
1.2.840.10008.1.2.4.112	JPEGXL	JPEG XL
1.2.840.10008.1.2.4.201	HTJ2KLossless	High-Throughput JPEG 2000 Image Compression (Lossless Only)
1.2.840.10008.1.2.4.202	HTJ2KLosslessRPCL	High-Throughput JPEG 2000 with RPCL Options Image Compression (Lossless Only)
1.2.840.10008.1.2.4.203	HTJ2K	High-Throughput JPEG 2000 Image Compression
1.2.840.10008.1.2.4.204	JPIPHTJ2KReferenced	JPIP HTJ2K Referenced
1.2.840.10008.1.2.4.205	JPIPHTJ2KReferencedDeflate	JPIP HTJ2K Referenced Deflate
1.2.840.10008.1.2.4.50	JPEGBaseline8Bit	JPEG Baseline (Process 1)
1.2.840.10008.1.2.4.51	JPEGExtended12Bit	JPEG Extended (Process 2 and 4)
1.2.840.10008.1.2.4.52	JPEGExtended35	JPEG Extended (Process 3 and 5)
1.2.840.10008.1.2.4.53	JPEGSpectralSelectionNonHierarchical68	JPEG Spectral Selection, Non-Hierarchical (Process 6 and 8)
1.2.840.10008.1.2.4.54	JPEGSpectralSelectionNonHierarchical79	JPEG Spectral Selection, Non-Hierarchical (Process 7 and 9)
1.2.840.10008.1.2.4.55	JPEGFullProgressionNonHierarchical1012	JPEG Full Progression, Non-Hierarchical (Process 10 and 12)
1.2.840.10008.1.2.4.56	JPEGFullProgressionNonHierarchical1113	JPEG Full Progression, Non-Hierarchical (Process 11 and 13)
1.2.840.10008.1.2.4.57	JPEGLossless	JPEG Lossless, Non-Hierarchical (Process 14)
1.2.840.10008.1.2.4.58	JPEGLosslessNonHierarchical15	JPEG Lossless, Non-Hierarchical (Process 15)
1.2.840.10008.1.2.4.59	JPEGExtendedHierarchical1618	JPEG Extended, Hierarchical (Process 16 and 18)
1.2.840.10008.1.2.4.60	JPEGExtendedHierarchical1719	JPEG Extended, Hierarchical (Process 17 and 19)
1.2.840.10008.1.2.4.61	JPEGSpectralSelectionHierarchical2022	JPEG Spectral Selection, Hierarchical (Process 20 and 22)
1.2.840.10008.1.2.4.62	JPEGSpectralSelectionHierarchical2123	JPEG Spectral Selection, Hierarchical (Process 21 and 23)
1.2.840.10008.1.2.4.63	JPEGFullProgressionHierarchical2426	JPEG Full Progression, Hierarchical (Process 24 and 26)
1.2.840.10008.1.2.4.64	JPEGFullProgressionHierarchical2527	JPEG Full Progression, Hierarchical (Process 25 and 27)
1.2.840.10008.1.2.4.65	JPEGLosslessHierarchical28	JPEG Lossless, Hierarchical (Process 28)
1.2.840.10008.1.2.4.66	JPEGLosslessHierarchical29	JPEG Lossless, Hierarchical (Process 29)
1.2.840.10008.1.2.4.70	JPEGLosslessSV1	JPEG Lossless, Non-Hierarchical, First-Order Prediction (Process 14 [Selection Value 1])
1.2.840.10008.1.2.4.80	JPEGLSLossless	JPEG-LS Lossless Image Compression
1.2.840.10008.1.2.4.81	JPEGLSNearLossless	JPEG-LS Lossy (Near-Lossless) Image Compression
1.2.840.10008.1.2.4.90	JPEG2000Lossless	JPEG 2000 Image Compression (Lossless Only)
1.2.840.10008.1.2.4.91	JPEG2000	JPEG 2000 Image Compression
1.2.840.10008.1.2.4.92	JPEG2000MCLossless	JPEG 2000 Part 2 Multi-component Image Compression (Lossless Only)
1.2.840.10008.1.2.4.93	JPEG2000MC	JPEG 2000 Part 2 Multi-component Image Compression
1.2.840.10008.1.2.4.94	JPIPReferenced	JPIP Referenced
1.2.840.10008.1.2.4.95	JPIPReferencedDeflate	JPIP Referenced Deflate
1.2.840.10008.1.2.5	RLELossless	RLE Lossless
1.2.840.10008.1.2.6.1	RFC2557MIMEEncapsulation	RFC 2557 MIME encapsulation
1.2.840.10008.1.2.6.2	XMLEncoding	XML Encoding
1.2.840.10008.1.2.7.1	SMPTEST211020UncompressedProgressiveActiveVideo	SMPTE ST 2110-20 Uncompressed Progressive Active Video
1.2.840.10008.1.2.7.2	SMPTEST211020UncompressedInterlacedActiveVideo	SMPTE ST 2110-20 Uncompressed Interlaced Active Video
1.2.840.10008.1.2.7.3	SMPTEST211030PCMDigitalAudio	SMPTE ST 2110-30 PCM Digital Audio
1.2.840.10008.1.2.8.1	DeflatedImageFrameCompression	Deflated Image Frame Compression
1.2.840.10008.1.20	Papyrus3ImplicitVRLittleEndian	Papyrus 3 Implicit VR Little Endian
1.2.840.10008.1.20.1	StorageCommitmentPushModel	Storage Commitment Push Model SOP Class
1.2.840.10008.1.20.1.1	StorageCommitmentPushModelInstance	Storage Commitment Push Model SOP Instance
1.2.840.10008.1.20.2	StorageCommitmentPullModel	Storage Commitment Pull Model SOP Class
1.2.840.10008.1.20.2.1	StorageCommitmentPullModelInstance	Storage Commitment Pull Model SOP Instance
1.2.840.10008.1.3.10	MediaStorageDirectoryStorage	Media Storage Directory Storage
1.2.840.10008.1.40	ProceduralEventLogging	Procedural Event Logging SOP Class
1.2.840.10008.1.40.1	ProceduralEventLoggingInstance	Procedural Event Logging SOP Instance
1.2.840.10008.1.42	SubstanceAdministrationLogging	Substance Administration Logging SOP Class
1.2.840.10008.1.42.1	SubstanceAdministrationLoggingInstance	Substance Administration Logging SOP Instance
1.2.840.10008.1.5.1	HotIronPalette	Hot Iron Color Palette SOP Instance
1.2.840.10008.1.5.2	PETPalette	PET Color Palette SOP Instance
1.2.840.10008.1.5.3	HotMetalBluePalette	Hot Metal Blue Color Palette SOP Instance
1.2.840.10008.1.5.4	PET20StepPalette	PET 20 Step Color Palette SOP Instance
1.2.840.10008.1.5.5	SpringPalette	Spring Color Palette SOP Instance
1.2.840.10008.1.5.6	SummerPalette	Summer Color Palette SOP Instance
1.2.840.10008.1.5.7	FallPalette	Fall Color Palette SOP Instance
1.2.840.10008.1.5.8	WinterPalette	Winter Color Palette SOP Instance
1.2.840.10008.1.9	BasicStudyContentNotification	Basic Study Content Notification SOP Class
1.2.840.10008.10.1	VideoEndoscopicImageRealTimeCommunication	Video Endoscopic Image Real-Time Communication
1.2.840.10008.10.2	VideoPhotographicImageRealTimeCommunication	Video Photographic Image Real-Time Communication
1.2.840.10008.10.3	AudioWaveformRealTimeCommunication	Audio Waveform Real-Time Communication
1.2.840.10008.10.4	RenditionSelectionDocumentRealTimeCommunication	Rendition Selection Document Real-Time Communication
1.2.840.10008.3.1.1.1	DICOMApplicationContext	DICOM Application Context Name
1.2.840.10008.3.1.2.1.1	DetachedPatientManagement	Detached Patient Management SOP Class
1.2.840.10008.3.1.2.1.4	DetachedPatientManagementMeta	Detached Patient Management Meta SOP Class
1.2.840.10008.3.1.2.2.1	DetachedVisitManagement	Detached Visit Management SOP Class
1.2.840.10008.3.1.2.3.1	DetachedStudyManagement	Detached Study Management SOP Class
1.2.840.10008.3.1.2.3.2	StudyComponentManagement	Study Component Management SOP Class
1.2.840.10008.3.1.2.3.3	ModalityPerformedProcedureStep	Modality Performed Procedure Step SOP Class
1.2.840.10008.3.1.2.3.4	ModalityPerformedProcedureStepRetrieve	Modality Performed Procedure Step Retrieve SOP Class
1.2.840.10008.3.1.2.3.5	ModalityPerformedProcedureStepNotification	Modality Performed Procedure Step Notification SOP Class
1.2.840.10008.3.1.2.5.1	DetachedResultsManagement	Detached Results Management SOP Class
1.2.840.10008.3.1.2.5.4	DetachedResultsManagementMeta	Detached Results Management Meta SOP Class
1.2.840.10008.3.1.2.5.5	DetachedStudyManagementMeta	Detached Study Management Meta SOP Class
1.2.840.10008.3.1.2.6.1	DetachedInterpretationManagement	Detached Interpretation Management SOP Class
1.2.840.10008.4.2	Storage	Storage Service Class
1.2.840.10008.5.1.1.1	BasicFilmSession	Basic Film Session SOP Class
1.2.840.10008.5.1.1.14	PrintJob	Print Job SOP Class
1.2.840.10008.5.1.1.15	BasicAnnotationBox	Basic Annotation Box SOP Class
1.2.840.10008.5.1.1.16	Printer	Printer SOP Class
1.2.840.10008.5.1.1.16.376	PrinterConfigurationRetrieval	Printer Configuration Retrieval SOP Class
1.2.840.10008.5.1.1.18	BasicColorPrintManagementMeta	Basic Color Print Management Meta SOP Class
1.2.840.10008.5.1.1.18.1	ReferencedColorPrintManagementMeta	Referenced Color Print Management Meta SOP Class
1.2.840.10008.5.1.1.2	BasicFilmBox	Basic Film Box SOP Class
1.2.840.10008.5.1.1.22	VOILUTBox	VOI LUT Box SOP Class
1.2.840.10008.5.1.1.23	PresentationLUT	Presentation LUT SOP Class
1.2.840.10008.5.1.1.24	ImageOverlayBox	Image Overlay Box SOP Class
1.2.840.10008.5.1.1.24.1	BasicPrintImageOverlayBox	Basic Print Image Overlay Box SOP Class
1.2.840.10008.5.1.1.26	PrintQueueManagement	Print Queue Management SOP Class
1.2.840.10008.5.1.1.27	StoredPrintStorage	Stored Print Storage SOP Class
1.2.840.10008.5.1.1.29	HardcopyGrayscaleImageStorage	Hardcopy Grayscale Image Storage SOP Class
1.2.840.10008.5.1.1.30	HardcopyColorImageStorage	Hardcopy Color Image Storage SOP Class
1.2.840.10008.5.1.1.31	PullPrintRequest	Pull Print Request SOP Class
1.2.840.10008.5.1.1.32	PullStoredPrintManagementMeta	Pull Stored Print Management Meta SOP Class
1.2.840.10008.5.1.1.33	MediaCreationManagement	Media Creation Management SOP Class UID
1.2.840.10008.5.1.1.4	BasicGrayscaleImageBox	Basic Grayscale Image Box SOP Class
1.2.840.10008.5.1.1.4.1	BasicColorImageBox	Basic Color Image Box SOP Class
1.2.840.10008.5.1.1.4.2	ReferencedImageBox	Referenced Image Box SOP Class
1.2.840.10008.5.1.1.40	DisplaySystem	Display System SOP Class
1.2.840.10008.5.1.1.40.1	DisplaySystemInstance	Display System SOP Instance
1.2.840.10008.5.1.1.9	BasicGrayscalePrintManagementMeta	Basic Grayscale Print Management Meta SOP Class
1.2.840.10008.5.1.1.9.1	ReferencedGrayscalePrintManagementMeta	Referenced Grayscale Print Management Meta SOP Class
1.2.840.10008.5.1.4.1.1.1	ComputedRadiographyImageStorage	Computed Radiography Image Storage
1.2.840.10008.5.1.4.1.1.1.1	DigitalXRayImageStorageForPresentation	Digital X-Ray Image Storage - For Presentation
1.2.840.10008.5.1.4.1.1.1.1.1	DigitalXRayImageStorageForProcessing	Digital X-Ray Image Storage - For Processing
1.2.840.10008.5.1.4.1.1.1.2	DigitalMammographyXRayImageStorageForPresentation	Digital Mammography X-Ray Image Storage - For Presentation
1.2.840.10008.5.1.4.1.1.1.2.1	DigitalMammographyXRayImageStorageForProcessing	Digital Mammography X-Ray Image Storage - For Processing
1.2.840.10008.5.1.4.1.1.1.3	DigitalIntraOralXRayImageStorageForPresentation	Digital Intra-Oral X-Ray Image Storage - For Presentation
1.2.840.10008.5.1.4.1.1.1.3.1	DigitalIntraOralXRayImageStorageForProcessing	Digital Intra-Oral X-Ray Image Storage - For Processing
1.2.840.10008.5.1.4.1.1.10	StandaloneModalityLUTStorage	Standalone Modality LUT Storage
1.2.840.10008.5.1.4.1.1.104.1	EncapsulatedPDFStorage	Encapsulated PDF Storage
1.2.840.10008.5.1.4.1.1.104.2	EncapsulatedCDAStorage	Encapsulated CDA Storage
1.2.840.10008.5.1.4.1.1.104.3	EncapsulatedSTLStorage	Encapsulated STL Storage
1.2.840.10008.5.1.4.1.1.104.4	EncapsulatedOBJStorage	Encapsulated OBJ Storage
1.2.840.10008.5.1.4.1.1.104.5	EncapsulatedMTLStorage	Encapsulated MTL Storage
1.2.840.10008.5.1.4.1.1.11	StandaloneVOILUTStorage	Standalone VOI LUT Storage
1.2.840.10008.5.1.4.1.1.11.1	GrayscaleSoftcopyPresentationStateStorage	Grayscale Softcopy Presentation State Storage
1.2.840.10008.5.1.4.1.1.11.10	SegmentedVolumeRenderingVolumetricPresentationStateStorage	Segmented Volume Rendering Volumetric Presentation State Storage
1.2.840.10008.5.1.4.1.1.11.11	MultipleVolumeRenderingVolumetricPresentationStateStorage	Multiple Volume Rendering Volumetric Presentation State Storage
1.2.840.10008.5.1.4.1.1.11.12	VariableModalityLUTSoftcopyPresentationStateStorage	Variable Modality LUT Softcopy Presentation State Storage
1.2.840.10008.5.1.4.1.1.11.2	ColorSoftcopyPresentationStateStorage	Color Softcopy Presentation State Storage
1.2.840.10008.5.1.4.1.1.11.3	PseudoColorSoftcopyPresentationStateStorage	Pseudo-Color Softcopy Presentation State Storage
1.2.840.10008.5.1.4.1.1.11.4	BlendingSoftcopyPresentationStateStorage	Blending Softcopy Presentation State Storage
1.2.840.10008.5.1.4.1.1.11.5	XAXRFGrayscaleSoftcopyPresentationStateStorage	XA/XRF Grayscale Softcopy Presentation State Storage
1.2.840.10008.5.1.4.1.1.11.6	GrayscalePlanarMPRVolumetricPresentationStateStorage	Grayscale Planar MPR Volumetric Presentation State Storage
1.2.840.10008.5.1.4.1.1.11.7	CompositingPlanarMPRVolumetricPresentationStateStorage	Compositing Planar MPR Volumetric Presentation State Storage
1.2.840.10008.5.1.4.1.1.11.8	AdvancedBlendingPresentationStateStorage	Advanced Blending Presentation State Storage
1.2.840.10008.5.1.4.1.1.11.9	VolumeRenderingVolumetricPresentationStateStorage	Volume Rendering Volumetric Presentation State Storage
1.2.840.10008.5.1.4.1.1.12.1	XRayAngiographicImageStorage	X-Ray Angiographic Image Storage
1.2.840.10008.5.1.4.1.1.12.1.1	EnhancedXAImageStorage	Enhanced XA Image Storage
1.2.840.10008.5.1.4.1.1.12.2	XRayRadiofluoroscopicImageStorage	X-Ray Radiofluoroscopic Image Storage
1.2.840.10008.5.1.4.1.1.12.2.1	EnhancedXRFImageStorage	Enhanced XRF Image Storage
1.2.840.10008.5.1.4.1.1.12.3	XRayAngiographicBiPlaneImageStorage	X-Ray Angiographic Bi-Plane Image Storage
1.2.840.10008.5.1.4.1.1.12.77		
1.2.840.10008.5.1.4.1.1.128	PositronEmissionTomographyImageStorage	Positron Emission Tomography Image Storage
1.2.840.10008.5.1.4.1.1.128.1	LegacyConvertedEnhancedPETImageStorage	Legacy Converted Enhanced PET Image Storage
1.2.840.10008.5.1.4.1.1.129	StandalonePETCurveStorage	Standalone PET Curve Storage
1.2.840.10008.5.1.4.1.1.13.1.1	XRay3DAngiographicImageStorage	X-Ray 3D Angiographic Image Storage
1.2.840.10008.5.1.4.1.1.13.1.2	XRay3DCraniofacialImageStorage	X-Ray 3D Craniofacial Image Storage
1.2.840.10008.5.1.4.1.1.13.1.3	BreastTomosynthesisImageStorage	Breast Tomosynthesis Image Storage
1.2.840.10008.5.1.4.1.1.13.1.4	BreastProjectionXRayImageStorageForPresentation	Breast Projection X-Ray Image Storage - For Presentation
1.2.840.10008.5.1.4.1.1.13.1.5	BreastProjectionXRayImageStorageForProcessing	Breast Projection X-Ray Image Storage - For Processing
1.2.840.10008.5.1.4.1.1.130	EnhancedPETImageStorage	Enhanced PET Image Storage
1.2.840.10008.5.1.4.1.1.131	BasicStructuredDisplayStorage	Basic Structured Display Storage
1.2.840.10008.5.1.4.1.1.14.1	IntravascularOpticalCoherenceTomographyImageStorageForPresentation	Intravascular Optical Coherence Tomography Image Storage - For Presentation
1.2.840.10008.5.1.4.1.1.14.2	IntravascularOpticalCoherenceTomographyImageStorageForProcessing	Intravascular Optical Coherence Tomography Image Storage - For Processing
1.2.840.10008.5.1.4.1.1.2	CTImageStorage	CT Image Storage
1.2.840.10008.5.1.4.1.1.2.1	EnhancedCTImageStorage	Enhanced CT Image Storage
1.2.840.10008.5.1.4.1.1.2.2	LegacyConvertedEnhancedCTImageStorage	Legacy Converted Enhanced CT Image Storage
1.2.840.10008.5.1.4.1.1.20	NuclearMedicineImageStorage	Nuclear Medicine Image Storage
1.2.840.10008.5.1.4.1.1.200.1	CTDefinedProcedureProtocolStorage	CT Defined Procedure Protocol Storage
1.2.840.10008.5.1.4.1.1.200.2	CTPerformedProcedureProtocolStorage	CT Performed Procedure Protocol Storage
1.2.840.10008.5.1.4.1.1.200.3	ProtocolApprovalStorage	Protocol Approval Storage
1.2.840.10008.5.1.4.1.1.200.4	ProtocolApprovalInformationModelFind	Protocol Approval Information Model - FIND
1.2.840.10008.5.1.4.1.1.200.5	ProtocolApprovalInformationModelMove	Protocol Approval Information Model - MOVE
1.2.840.10008.5.1.4.1.1.200.6	ProtocolApprovalInformationModelGet	Protocol Approval Information Model - GET
1.2.840.10008.5.1.4.1.1.200.7	XADefinedProcedureProtocolStorage	XA Defined Procedure Protocol Storage
1.2.840.10008.5.1.4.1.1.200.8	XAPerformedProcedureProtocolStorage	XA Performed Procedure Protocol Storage
1.2.840.10008.5.1.4.1.1.201.1	InventoryStorage	Inventory Storage
1.2.840.10008.5.1.4.1.1.201.2	InventoryFind	Inventory - FIND
1.2.840.10008.5.1.4.1.1.201.3	InventoryMove	Inventory - MOVE
1.2.840.10008.5.1.4.1.1.201.4	InventoryGet	Inventory - GET
1.2.840.10008.5.1.4.1.1.201.5	InventoryCreation	Inventory Creation
1.2.840.10008.5.1.4.1.1.201.6	RepositoryQuery	Repository Query
1.2.840.10008.5.1.4.1.1.3	UltrasoundMultiFrameImageStorageRetired	Ultrasound Multi-frame Image Storage
1.2.840.10008.5.1.4.1.1.3.1	UltrasoundMultiFrameImageStorage	Ultrasound Multi-frame Image Storage
1.2.840.10008.5.1.4.1.1.30	ParametricMapStorage	Parametric Map Storage
1.2.840.10008.5.1.4.1.1.4	MRImageStorage	MR Image Storage
1.2.840.10008.5.1.4.1.1.4.1	EnhancedMRImageStorage	Enhanced MR Image Storage
1.2.840.10008.5.1.4.1.1.4.2	MRSpectroscopyStorage	MR Spectroscopy Storage
1.2.840.10008.5.1.4.1.1.4.3	EnhancedMRColorImageStorage	Enhanced MR Color Image Storage
1.2.840.10008.5.1.4.1.1.4.4	LegacyConvertedEnhancedMRImageStorage	Legacy Converted Enhanced MR Image Storage
1.2.840.10008.5.1.4.1.1.40		
1.2.840.10008.5.1.4.1.1.481.1	RTImageStorage	RT Image Storage
1.2.840.10008.5.1.4.1.1.481.10	RTPhysicianIntentStorage	RT Physician Intent Storage
1.2.840.10008.5.1.4.1.1.481.11	RTSegmentAnnotationStorage	RT Segment Annotation Storage
1.2.840.10008.5.1.4.1.1.481.12	RTRadiationSetStorage	RT Radiation Set Storage
1.2.840.10008.5.1.4.1.1.481.13	CArmPhotonElectronRadiationStorage	C-Arm Photon-Electron Radiation Storage
1.2.840.10008.5.1.4.1.1.481.14	TomotherapeuticRadiationStorage	Tomotherapeutic Radiation Storage
1.2.840.10008.5.1.4.1.1.481.15	RoboticArmRadiationStorage	Robotic-Arm Radiation Storage
1.2.840.10008.5.1.4.1.1.481.16	RTRadiationRecordSetStorage	RT Radiation Record Set Storage
1.2.840.10008.5.1.4.1.1.481.17	RTRadiationSalvageRecordStorage	RT Radiation Salvage Record Storage
1.2.840.10008.5.1.4.1.1.481.18	TomotherapeuticRadiationRecordStorage	Tomotherapeutic Radiation Record Storage
1.2.840.10008.5.1.4.1.1.481.19	CArmPhotonElectronRadiationRecordStorage	C-Arm Photon-Electron Radiation Record Storage
1.2.840.10008.5.1.4.1.1.481.2	RTDoseStorage	RT Dose Storage
1.2.840.10008.5.1.4.1.1.481.20	RoboticRadiationRecordStorage	Robotic Radiation Record Storage
1.2.840.10008.5.1.4.1.1.481.21	RTRadiationSetDeliveryInstructionStorage	RT Radiation Set Delivery Instruction Storage
1.2.840.10008.5.1.4.1.1.481.22	RTTreatmentPreparationStorage	RT Treatment Preparation Storage
1.2.840.10008.5.1.4.1.1.481.23	EnhancedRTImageStorage	Enhanced RT Image Storage
1.2.840.10008.5.1.4.1.1.481.24	EnhancedContinuousRTImageStorage	Enhanced Continuous RT Image Storage
1.2.840.10008.5.1.4.1.1.481.25	RTPatientPositionAcquisitionInstructionStorage	RT Patient Position Acquisition Instruction Storage
1.2.840.10008.5.1.4.1.1.481.3	RTStructureSetStorage	RT Structure Set Storage
1.2.840.10008.5.1.4.1.1.481.4	RTBeamsTreatmentRecordStorage	RT Beams Treatment Record Storage
1.2.840.10008.5.1.4.1.1.481.5	RTPlanStorage	RT Plan Storage
1.2.840.10008.5.1.4.1.1.481.6	RTBrachyTreatmentRecordStorage	RT Brachy Treatment Record Storage
1.2.840.10008.5.1.4.1.1.481.7	RTTreatmentSummaryRecordStorage	RT Treatment Summary Record Storage
1.2.840.10008.5.1.4.1.1.481.8	RTIonPlanStorage	RT Ion Plan Storage
1.2.840.10008.5.1.4.1.1.481.9	RTIonBeamsTreatmentRecordStorage	RT Ion Beams Treatment Record Storage
1.2.840.10008.5.1.4.1.1.5	NuclearMedicineImageStorageRetired	Nuclear Medicine Image Storage
1.2.840.10008.5.1.4.1.1.501.1	DICOSCTImageStorage	DICOS CT Image Storage
1.2.840.10008.5.1.4.1.1.501.2.1	DICOSDigitalXRayImageStorageForPresentation	DICOS Digital X-Ray Image Storage - For Presentation
1.2.840.10008.5.1.4.1.1.501.2.2	DICOSDigitalXRayImageStorageForProcessing	DICOS Digital X-Ray Image Storage - For Processing
1.2.840.10008.5.1.4.1.1.501.3	DICOSThreatDetectionReportStorage	DICOS Threat Detection Report Storage
1.2.840.10008.5.1.4.1.1.501.4	DICOS2DAITStorage	DICOS 2D AIT Storage
1.2.840.10008.5.1.4.1.1.501.5	DICOS3DAITStorage	DICOS 3D AIT Storage
1.2.840.10008.5.1.4.1.1.501.6	DICOSQuadrupoleResonanceStorage	DICOS Quadrupole Resonance (QR) Storage
1.2.840.10008.5.1.4.1.1.6	UltrasoundImageStorageRetired	Ultrasound Image Storage
1.2.840.10008.5.1.4.1.1.6.1	UltrasoundImageStorage	Ultrasound Image Storage
1.2.840.10008.5.1.4.1.1.6.2	EnhancedUSVolumeStorage	Enhanced US Volume Storage
1.2.840.10008.5.1.4.1.1.6.3	PhotoacousticImageStorage	Photoacoustic Image Storage
1.2.840.10008.5.1.4.1.1.601.1	EddyCurrentImageStorage	Eddy Current Image Storage
1.2.840.10008.5.1.4.1.1.601.2	EddyCurrentMultiFrameImageStorage	Eddy Current Multi-frame Image Storage
1.2.840.10008.5.1.4.1.1.601.3	ThermographyImageStorage	Thermography Image Storage
1.2.840.10008.5.1.4.1.1.601.4	ThermographyMultiFrameImageStorage	Thermography Multi-frame Image Storage
1.2.840.10008.5.1.4.1.1.601.5	UltrasoundWaveformStorage	Ultrasound Waveform Storage
1.2.840.10008.5.1.4.1.1.66	RawDataStorage	Raw Data Storage
1.2.840.10008.5.1.4.1.1.66.1	SpatialRegistrationStorage	Spatial Registration Storage
1.2.840.10008.5.1.4.1.1.66.2	SpatialFiducialsStorage	Spatial Fiducials Storage
1.2.840.10008.5.1.4.1.1.66.3	DeformableSpatialRegistrationStorage	Deformable Spatial Registration Storage
1.2.840.10008.5.1.4.1.1.66.4	SegmentationStorage	Segmentation Storage
1.2.840.10008.5.1.4.1.1.66.5	SurfaceSegmentationStorage	Surface Segmentation Storage
1.2.840.10008.5.1.4.1.1.66.6	TractographyResultsStorage	Tractography Results Storage
1.2.840.10008.5.1.4.1.1.66.7	LabelMapSegmentationStorage	Label Map Segmentation Storage
1.2.840.10008.5.1.4.1.1.66.8	HeightMapSegmentationStorage	Height Map Segmentation Storage
1.2.840.10008.5.1.4.1.1.67	RealWorldValueMappingStorage	Real World Value Mapping Storage
1.2.840.10008.5.1.4.1.1.68.1	SurfaceScanMeshStorage	Surface Scan Mesh Storage
1.2.840.10008.5.1.4.1.1.68.2	SurfaceScanPointCloudStorage	Surface Scan Point Cloud Storage
1.2.840.10008.5.1.4.1.1.7	SecondaryCaptureImageStorage	Secondary Capture Image Storage
1.2.840.10008.5.1.4.1.1.7.1	MultiFrameSingleBitSecondaryCaptureImageStorage	Multi-frame Single Bit Secondary Capture Image Storage
1.2.840.10008.5.1.4.1.1.7.2	MultiFrameGrayscaleByteSecondaryCaptureImageStorage	Multi-frame Grayscale Byte Secondary Capture Image Storage
1.2.840.10008.5.1.4.1.1.7.3	MultiFrameGrayscaleWordSecondaryCaptureImageStorage	Multi-frame Grayscale Word Secondary Capture Image Storage
1.2.840.10008.5.1.4.1.1.7.4	MultiFrameTrueColorSecondaryCaptureImageStorage	Multi-frame True Color Secondary Capture Image Storage
1.2.840.10008.5.1.4.1.1.77.1	VLImageStorageTrial	VL Image Storage - Trial
1.2.840.10008.5.1.4.1.1.77.1.1	VLEndoscopicImageStorage	VL Endoscopic Image Storage
1.2.840.10008.5.1.4.1.1.77.1.1.1	VideoEndoscopicImageStorage	Video Endoscopic Image Storage
1.2.840.10008.5.1.4.1.1.77.1.2	VLMicroscopicImageStorage	VL Microscopic Image Storage
1.2.840.10008.5.1.4.1.1.77.1.2.1	VideoMicroscopicImageStorage	Video Microscopic Image Storage
1.2.840.10008.5.1.4.1.1.77.1.3	VLSlideCoordinatesMicroscopicImageStorage	VL Slide-Coordinates Microscopic Image Storage
1.2.840.10008.5.1.4.1.1.77.1.4	VLPhotographicImageStorage	VL Photographic Image Storage
1.2.840.10008.5.1.4.1.1.77.1.4.1	VideoPhotographicImageStorage	Video Photographic Image Storage
1.2.840.10008.5.1.4.1.1.77.1.5.1	OphthalmicPhotography8BitImageStorage	Ophthalmic Photography 8 Bit Image Storage
1.2.840.10008.5.1.4.1.1.77.1.5.2	OphthalmicPhotography16BitImageStorage	Ophthalmic Photography 16 Bit Image Storage
1.2.840.10008.5.1.4.1.1.77.1.5.3	StereometricRelationshipStorage	Stereometric Relationship Storage
1.2.840.10008.5.1.4.1.1.77.1.5.4	OphthalmicTomographyImageStorage	Ophthalmic Tomography Image Storage
1.2.840.10008.5.1.4.1.1.77.1.5.5	WideFieldOphthalmicPhotographyStereographicProjectionImageStorage	Wide Field Ophthalmic Photography Stereographic Projection Image Storage
1.2.840.10008.5.1.4.1.1.77.1.5.6	WideFieldOphthalmicPhotography3DCoordinatesImageStorage	Wide Field Ophthalmic Photography 3D Coordinates Image Storage
1.2.840.10008.5.1.4.1.1.77.1.5.7	OphthalmicOpticalCoherenceTomographyEnFaceImageStorage	Ophthalmic Optical Coherence Tomography En Face Image Storage
1.2.840.10008.5.1.4.1.1.77.1.5.8	OphthalmicOpticalCoherenceTomographyBscanVolumeAnalysisStorage	Ophthalmic Optical Coherence Tomography B-scan Volume Analysis Storage
1.2.840.10008.5.1.4.1.1.77.1.6	VLWholeSlideMicroscopyImageStorage	VL Whole Slide Microscopy Image Storage
1.2.840.10008.5.1.4.1.1.77.1.7	DermoscopicPhotographyImageStorage	Dermoscopic Photography Image Storage
1.2.840.10008.5.1.4.1.1.77.1.8	ConfocalMicroscopyImageStorage	Confocal Microscopy Image Storage
1.2.840.10008.5.1.4.1.1.77.1.9	ConfocalMicroscopyTiledPyramidalImageStorage	Confocal Microscopy Tiled Pyramidal Image Storage
1.2.840.10008.5.1.4.1.1.77.2	VLMultiFrameImageStorageTrial	VL Multi-frame Image Storage - Trial
1.2.840.10008.5.1.4.1.1.78.1	LensometryMeasurementsStorage	Lensometry Measurements Storage
1.2.840.10008.5.1.4.1.1.78.2	AutorefractionMeasurementsStorage	Autorefraction Measurements Storage
1.2.840.10008.5.1.4.1.1.78.3	KeratometryMeasurementsStorage	Keratometry Measurements Storage
1.2.840.10008.5.1.4.1.1.78.4	SubjectiveRefractionMeasurementsStorage	Subjective Refraction Measurements Storage
1.2.840.10008.5.1.4.1.1.78.5	VisualAcuityMeasurementsStorage	Visual Acuity Measurements Storage
1.2.840.10008.5.1.4.1.1.78.6	SpectaclePrescriptionReportStorage	Spectacle Prescription Report Storage
1.2.840.10008.5.1.4.1.1.78.7	OphthalmicAxialMeasurementsStorage	Ophthalmic Axial Measurements Storage
1.2.840.10008.5.1.4.1.1.78.8	IntraocularLensCalculationsStorage	Intraocular Lens Calculations Storage
1.2.840.10008.5.1.4.1.1.79.1	MacularGridThicknessAndVolumeReportStorage	Macular Grid Thickness and Volume Report Storage
1.2.840.10008.5.1.4.1.1.8	StandaloneOverlayStorage	Standalone Overlay Storage
1.2.840.10008.5.1.4.1.1.80.1	OphthalmicVisualFieldStaticPerimetryMeasurementsStorage	Ophthalmic Visual Field Static Perimetry Measurements Storage
1.2.840.10008.5.1.4.1.1.81.1	OphthalmicThicknessMapStorage	Ophthalmic Thickness Map Storage
1.2.840.10008.5.1.4.1.1.82.1	CornealTopographyMapStorage	Corneal Topography Map Storage
1.2.840.10008.5.1.4.1.1.88.1	TextSRStorageTrial	Text SR Storage - Trial
1.2.840.10008.5.1.4.1.1.88.11	BasicTextSRStorage	Basic Text SR Storage
1.2.840.10008.5.1.4.1.1.88.2	AudioSRStorageTrial	Audio SR Storage - Trial
1.2.840.10008.5.1.4.1.1.88.22	EnhancedSRStorage	Enhanced SR Storage
1.2.840.10008.5.1.4.1.1.88.3	DetailSRStorageTrial	Detail SR Storage - Trial
1.2.840.10008.5.1.4.1.1.88.33	ComprehensiveSRStorage	Comprehensive SR Storage
1.2.840.10008.5.1.4.1.1.88.34	Comprehensive3DSRStorage	Comprehensive 3D SR Storage
1.2.840.10008.5.1.4.1.1.88.35	ExtensibleSRStorage	Extensible SR Storage
1.2.840.10008.5.1.4.1.1.88.4	ComprehensiveSRStorageTrial	Comprehensive SR Storage - Trial
1.2.840.10008.5.1.4.1.1.88.40	ProcedureLogStorage	Procedure Log Storage
1.2.840.10008.5.1.4.1.1.88.50	MammographyCADSRStorage	Mammography CAD SR Storage
1.2.840.10008.5.1.4.1.1.88.59	KeyObjectSelectionDocumentStorage	Key Object Selection Document Storage
1.2.840.10008.5.1.4.1.1.88.65	ChestCADSRStorage	Chest CAD SR Storage
1.2.840.10008.5.1.4.1.1.88.67	XRayRadiationDoseSRStorage	X-Ray Radiation Dose SR Storage
1.2.840.10008.5.1.4.1.1.88.68	RadiopharmaceuticalRadiationDoseSRStorage	Radiopharmaceutical Radiation Dose SR Storage
1.2.840.10008.5.1.4.1.1.88.69	ColonCADSRStorage	Colon CAD SR Storage
1.2.840.10008.5.1.4.1.1.88.70	ImplantationPlanSRStorage	Implantation Plan SR Storage
1.2.840.10008.5.1.4.1.1.88.71	AcquisitionContextSRStorage	Acquisition Context SR Storage
1.2.840.10008.5.1.4.1.1.88.72	SimplifiedAdultEchoSRStorage	Simplified Adult Echo SR Storage
1.2.840.10008.5.1.4.1.1.88.73	PatientRadiationDoseSRStorage	Patient Radiation Dose SR Storage
1.2.840.10008.5.1.4.1.1.88.74	PlannedImagingAgentAdministrationSRStorage	Planned Imaging Agent Administration SR Storage
1.2.840.10008.5.1.4.1.1.88.75	PerformedImagingAgentAdministrationSRStorage	Performed Imaging Agent Administration SR Storage
1.2.840.10008.5.1.4.1.1.88.76	EnhancedXRayRadiationDoseSRStorage	Enhanced X-Ray Radiation Dose SR Storage
1.2.840.10008.5.1.4.1.1.88.77	WaveformAnnotationSRStorage	Waveform Annotation SR Storage
1.2.840.10008.5.1.4.1.1.9	StandaloneCurveStorage	Standalone Curve Storage
1.2.840.10008.5.1.4.1.1.9.1	WaveformStorageTrial	Waveform Storage - Trial
1.2.840.10008.5.1.4.1.1.9.1.1	TwelveLeadECGWaveformStorage	12-lead ECG Waveform Storage
1.2.840.10008.5.1.4.1.1.9.1.2	GeneralECGWaveformStorage	General ECG Waveform Storage
1.2.840.10008.5.1.4.1.1.9.1.3	AmbulatoryECGWaveformStorage	Ambulatory ECG Waveform Storage
1.2.840.10008.5.1.4.1.1.9.1.4	General32bitECGWaveformStorage	General 32-bit ECG Waveform Storage
1.2.840.10008.5.1.4.1.1.9.100.1	WaveformPresentationStateStorage	Waveform Presentation State Storage
1.2.840.10008.5.1.4.1.1.9.100.2	WaveformAcquisitionPresentationStateStorage	Waveform Acquisition Presentation State Storage
1.2.840.10008.5.1.4.1.1.9.2.1	HemodynamicWaveformStorage	Hemodynamic Waveform Storage
1.2.840.10008.5.1.4.1.1.9.3.1	CardiacElectrophysiologyWaveformStorage	Cardiac Electrophysiology Waveform Storage
1.2.840.10008.5.1.4.1.1.9.4.1	BasicVoiceAudioWaveformStorage	Basic Voice Audio Waveform Storage
1.2.840.10008.5.1.4.1.1.9.4.2	GeneralAudioWaveformStorage	General Audio Waveform Storage
1.2.840.10008.5.1.4.1.1.9.5.1	ArterialPulseWaveformStorage	Arterial Pulse Waveform Storage
1.2.840.10008.5.1.4.1.1.9.6.1	RespiratoryWaveformStorage	Respiratory Waveform Storage
1.2.840.10008.5.1.4.1.1.9.6.2	MultichannelRespiratoryWaveformStorage	Multi-channel Respiratory Waveform Storage
1.2.840.10008.5.1.4.1.1.9.7.1	RoutineScalpElectroencephalogramWaveformStorage	Routine Scalp Electroencephalogram Waveform Storage
1.2.840.10008.5.1.4.1.1.9.7.2	ElectromyogramWaveformStorage	Electromyogram Waveform Storage
1.2.840.10008.5.1.4.1.1.9.7.3	ElectrooculogramWaveformStorage	Electrooculogram Waveform Storage
1.2.840.10008.5.1.4.1.1.9.7.4	SleepElectroencephalogramWaveformStorage	Sleep Electroencephalogram Waveform Storage
1.2.840.10008.5.1.4.1.1.9.8.1	BodyPositionWaveformStorage	Body Position Waveform Storage
1.2.840.10008.5.1.4.1.1.90.1	ContentAssessmentResultsStorage	Content Assessment Results Storage
1.2.840.10008.5.1.4.1.1.91.1	MicroscopyBulkSimpleAnnotationsStorage	Microscopy Bulk Simple Annotations Storage
1.2.840.10008.5.1.4.1.2.1.1	PatientRootQueryRetrieveInformationModelFind	Patient Root Query/Retrieve Information Model - FIND
1.2.840.10008.5.1.4.1.2.1.2	PatientRootQueryRetrieveInformationModelMove	Patient Root Query/Retrieve Information Model - MOVE
1.2.840.10008.5.1.4.1.2.1.3	PatientRootQueryRetrieveInformationModelGet	Patient Root Query/Retrieve Information Model - GET
1.2.840.10008.5.1.4.1.2.2.1	StudyRootQueryRetrieveInformationModelFind	Study Root Query/Retrieve Information Model - FIND
1.2.840.10008.5.1.4.1.2.2.2	StudyRootQueryRetrieveInformationModelMove	Study Root Query/Retrieve Information Model - MOVE
1.2.840.10008.5.1.4.1.2.2.3	StudyRootQueryRetrieveInformationModelGet	Study Root Query/Retrieve Information Model - GET
1.2.840.10008.5.1.4.1.2.3.1	PatientStudyOnlyQueryRetrieveInformationModelFind	Patient/Study Only Query/Retrieve Information Model - FIND
1.2.840.10008.5.1.4.1.2.3.2	PatientStudyOnlyQueryRetrieveInformationModelMove	Patient/Study Only Query/Retrieve Information Model - MOVE
1.2.840.10008.5.1.4.1.2.3.3	PatientStudyOnlyQueryRetrieveInformationModelGet	Patient/Study Only Query/Retrieve Information Model - GET
1.2.840.10008.5.1.4.1.2.4.2	CompositeInstanceRootRetrieveMove	Composite Instance Root Retrieve - MOVE
1.2.840.10008.5.1.4.1.2.4.3	CompositeInstanceRootRetrieveGet	Composite Instance Root Retrieve - GET
1.2.840.10008.5.1.4.1.2.5.3	CompositeInstanceRetrieveWithoutBulkDataGet	Composite Instance Retrieve Without Bulk Data - GET
1.2.840.10008.5.1.4.20.1	DefinedProcedureProtocolInformationModelFind	Defined Procedure Protocol Information Model - FIND
1.2.840.10008.5.1.4.20.2	DefinedProcedureProtocolInformationModelMove	Defined Procedure Protocol Information Model - MOVE
1.2.840.10008.5.1.4.20.3	DefinedProcedureProtocolInformationModelGet	Defined Procedure Protocol Information Model - GET
1.2.840.10008.5.1.4.31	ModalityWorklistInformationModelFind	Modality Worklist Information Model - FIND
1.2.840.10008.5.1.4.32	GeneralPurposeWorklistManagementMeta	General Purpose Worklist Management Meta SOP Class
1.2.840.10008.5.1.4.32.1	GeneralPurposeWorklistInformationModelFind	General Purpose Worklist Information Model - FIND
1.2.840.10008.5.1.4.32.2	GeneralPurposeScheduledProcedureStep	General Purpose Scheduled Procedure Step SOP Class
1.2.840.10008.5.1.4.32.3	GeneralPurposePerformedProcedureStep	General Purpose Performed Procedure Step SOP Class
1.2.840.10008.5.1.4.33	InstanceAvailabilityNotification	Instance Availability Notification SOP Class
1.2.840.10008.5.1.4.34.1	RTBeamsDeliveryInstructionStorageTrial	RT Beams Delivery Instruction Storage - Trial
1.2.840.10008.5.1.4.34.10	RTBrachyApplicationSetupDeliveryInstructionStorage	RT Brachy Application Setup Delivery Instruction Storage
1.2.840.10008.5.1.4.34.2	RTConventionalMachineVerificationTrial	RT Conventional Machine Verification - Trial
1.2.840.10008.5.1.4.34.3	RTIonMachineVerificationTrial	RT Ion Machine Verification - Trial
1.2.840.10008.5.1.4.34.4	UnifiedWorklistAndProcedureStepTrial	Unified Worklist and Procedure Step Service Class - Trial
1.2.840.10008.5.1.4.34.4.1	UnifiedProcedureStepPushTrial	Unified Procedure Step - Push SOP Class - Trial
1.2.840.10008.5.1.4.34.4.2	UnifiedProcedureStepWatchTrial	Unified Procedure Step - Watch SOP Class - Trial
1.2.840.10008.5.1.4.34.4.3	UnifiedProcedureStepPullTrial	Unified Procedure Step - Pull SOP Class - Trial
1.2.840.10008.5.1.4.34.4.4	UnifiedProcedureStepEventTrial	Unified Procedure Step - Event SOP Class - Trial
1.2.840.10008.5.1.4.34.5	UPSGlobalSubscriptionInstance	UPS Global Subscription SOP Instance
1.2.840.10008.5.1.4.34.5.1	UPSFilteredGlobalSubscriptionInstance	UPS Filtered Global Subscription SOP Instance
1.2.840.10008.5.1.4.34.6	UnifiedWorklistAndProcedureStep	Unified Worklist and Procedure Step Service Class
1.2.840.10008.5.1.4.34.6.1	UnifiedProcedureStepPush	Unified Procedure Step - Push SOP Class
1.2.840.10008.5.1.4.34.6.2	UnifiedProcedureStepWatch	Unified Procedure Step - Watch SOP Class
1.2.840.10008.5.1.4.34.6.3	UnifiedProcedureStepPull	Unified Procedure Step - Pull SOP Class
1.2.840.10008.5.1.4.34.6.4	UnifiedProcedureStepEvent	Unified Procedure Step - Event SOP Class
1.2.840.10008.5.1.4.34.6.5	UnifiedProcedureStepQuery	Unified Procedure Step - Query SOP Class
1.2.840.10008.5.1.4.34.7	RTBeamsDeliveryInstructionStorage	RT Beams Delivery Instruction Storage
1.2.840.10008.5.1.4.34.8	RTConventionalMachineVerification	RT Conventional Machine Verification
1.2.840.10008.5.1.4.34.9	RTIonMachineVerification	RT Ion Machine Verification
1.2.840.10008.5.1.4.37.1	GeneralRelevantPatientInformationQuery	General Relevant Patient Information Query
1.2.840.10008.5.1.4.37.2	BreastImagingRelevantPatientInformationQuery	Breast Imaging Relevant Patient Information Query
1.2.840.10008.5.1.4.37.3	CardiacRelevantPatientInformationQuery	Cardiac Relevant Patient Information Query
1.2.840.10008.5.1.4.38.1	HangingProtocolStorage	Hanging Protocol Storage
1.2.840.10008.5.1.4.38.2	HangingProtocolInformationModelFind	Hanging Protocol Information Model - FIND
1.2.840.10008.5.1.4.38.3	HangingProtocolInformationModelMove	Hanging Protocol Information Model - MOVE
1.2.840.10008.5.1.4.38.4	HangingProtocolInformationModelGet	Hanging Protocol Information Model - GET
1.2.840.10008.5.1.4.39.1	ColorPaletteStorage	Color Palette Storage
1.2.840.10008.5.1.4.39.2	ColorPaletteQueryRetrieveInformationModelFind	Color Palette Query/Retrieve Information Model - FIND
1.2.840.10008.5.1.4.39.3	ColorPaletteQueryRetrieveInformationModelMove	Color Palette Query/Retrieve Information Model - MOVE
1.2.840.10008.5.1.4.39.4	ColorPaletteQueryRetrieveInformationModelGet	Color Palette Query/Retrieve Information Model - GET
1.2.840.10008.5.1.4.41	ProductCharacteristicsQuery	Product Characteristics Query SOP Class
1.2.840.10008.5.1.4.42	SubstanceApprovalQuery	Substance Approval Query SOP Class
1.2.840.10008.5.1.4.43.1	GenericImplantTemplateStorage	Generic Implant Template Storage
1.2.840.10008.5.1.4.43.2	GenericImplantTemplateInformationModelFind	Generic Implant Template Information Model - FIND
1.2.840.10008.5.1.4.43.3	GenericImplantTemplateInformationModelMove	Generic Implant Template Information Model - MOVE
1.2.840.10008.5.1.4.43.4	GenericImplantTemplateInformationModelGet	Generic Implant Template Information Model - GET
1.2.840.10008.5.1.4.44.1	ImplantAssemblyTemplateStorage	Implant Assembly Template Storage
1.2.840.10008.5.1.4.44.2	ImplantAssemblyTemplateInformationModelFind	Implant Assembly Template Information Model - FIND
1.2.840.10008.5.1.4.44.3	ImplantAssemblyTemplateInformationModelMove	Implant Assembly Template Information Model - MOVE
1.2.840.10008.5.1.4.44.4	ImplantAssemblyTemplateInformationModelGet	Implant Assembly Template Information Model - GET
1.2.840.10008.5.1.4.45.1	ImplantTemplateGroupStorage	Implant Template Group Storage
1.2.840.10008.5.1.4.45.2	ImplantTemplateGroupInformationModelFind	Implant Template Group Information Model - FIND
1.2.840.10008.5.1.4.45.3	ImplantTemplateGroupInformationModelMove	Implant Template Group Information Model - MOVE
1.2.840.10008.5.1.4.45.4	ImplantTemplateGroupInformationModelGet	Implant Template Group Information Model - GET
"""u8;
}
