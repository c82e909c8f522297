namespace DicomServerless.Dicom.Network;

/// <summary>What a reader of PDUs accepts. Everything is checked before memory is taken for it.</summary>
public sealed record PduLimits
{
    /// <summary>The limits that are used when nothing else is said.</summary>
    public static readonly PduLimits Default = new();

    /// <summary>Presentation contexts have odd ids from 1 to 255 (PS3.8 9.3.2.2).</summary>
    public const int MaxContexts = 128;

    /// <summary>The longest A-ASSOCIATE PDU, in bytes. Default 512 KiB: 128 contexts with 60 transfer syntaxes each, and a long assertion.</summary>
    public int MaxAssociateLength { get; init; } = 512 * 1024;

    /// <summary>The longest P-DATA-TF PDU, in bytes. Default 16 MiB: peers may ignore our maximum, and what comes is streamed.</summary>
    public uint MaxDataLength { get; init; } = 16 * 1024 * 1024;

    /// <summary>The most transfer syntaxes of a context. Default 256.</summary>
    public int MaxTransferSyntaxes { get; init; } = 256;

    /// <summary>The most sub-items of the user information. Default 1,024.</summary>
    public int MaxUserItems { get; init; } = 1024;
}
