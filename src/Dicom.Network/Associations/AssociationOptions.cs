namespace DicomServerless.Dicom.Network;

/// <summary>What an association needs to know about sizes and times, for both roles.</summary>
public sealed record AssociationOptions
{
    /// <summary>The longest P-DATA-TF variable field we ask for, in bytes; 0 = unlimited. Default 262,144.</summary>
    public uint MaxPduLength { get; init; } = 256 * 1024;

    /// <summary>The longest P-DATA-TF variable field we send, whatever the peer allows, in bytes. Default 131,072; 4,096 to 1,048,576.</summary>
    public int MaxSentPduLength { get; init; } = 128 * 1024;

    /// <summary>The receive buffer of an association that is not idle, in bytes. Default 262,144.</summary>
    public int ReceiveBufferSize { get; init; } = 256 * 1024;

    /// <summary>ARTIM (PS3.8 9.1.5): how long a peer may take for TLS and A-ASSOCIATE, and for closing. Default 30 s.</summary>
    public TimeSpan Artim { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long an association may be silent between messages. Default 10 min.</summary>
    public TimeSpan Idle { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How long a message may stall, in either direction; what arrives at <see cref="MinimumRate"/> earns time back. Default 60 s.</summary>
    public TimeSpan Stall { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long a requestor waits for a response to begin. Default 10 min.</summary>
    public TimeSpan Response { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>The slowest a message may arrive, in bytes per second, once the time of <see cref="Stall"/> is used up. Default 1,024.</summary>
    public int MinimumRate { get; init; } = 1024;

    /// <summary>What is accepted from the wire.</summary>
    internal PduLimits Limits => PduLimits.Default with
    {
        // Peers may exceed our maximum a little, and nothing is buffered; far beyond it is an attack or a broken stream.
        MaxDataLength = MaxPduLength == 0 ? uint.MaxValue : Math.Max(16 * 1024 * 1024, MaxPduLength),
    };
}
