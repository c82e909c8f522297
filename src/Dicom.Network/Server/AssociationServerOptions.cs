using System.Net;

namespace DicomServerless.Dicom.Network;

/// <summary>An address to listen on.</summary>
/// <param name="Address">The address and port; port 0 takes a free one.</param>
/// <param name="Tls">Null for plain DICOM.</param>
public sealed record ListenEndPoint(IPEndPoint Address, TlsServerOptions? Tls = null);

/// <summary>How many associations are served, and how.</summary>
public sealed record AssociationServerOptions
{
    /// <summary>How many associations are served at once; more are rejected with 3-2, local limit exceeded. Default 200.</summary>
    public int MaxAssociations { get; init; } = 200;

    /// <summary>How many associations one address may have; 0 = no limit of its own. Default 0.</summary>
    public int MaxAssociationsPerPeer { get; init; }

    /// <summary>
    /// How many connections may be open, those included that have not asked for an association yet or are being rejected. More are closed unread. Default
    /// 1,000.
    /// </summary>
    public int MaxConnections { get; init; } = 1000;

    /// <summary>The queue of connections that the system keeps before they are accepted. Default 128.</summary>
    public int Backlog { get; init; } = 128;

    /// <summary>The socket's receive buffer in bytes; 0 leaves it to the system, which tunes it. Default 0.</summary>
    public int SocketReceiveBuffer { get; init; }

    /// <summary>Sizes and times of each association.</summary>
    public AssociationOptions Association { get; init; } = new();
}
