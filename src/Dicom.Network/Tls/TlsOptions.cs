namespace DicomServerless.Dicom.Network;

/// <summary>The secure connection profiles of PS3.15 B.</summary>
public enum TlsProfile
{
    /// <summary>BCP 195 RFC 8996, 9325 TLS (PS3.15 B.12): TLS 1.2 and 1.3; weak cipher suites are left out.</summary>
    Bcp195,

    /// <summary>Modified BCP 195 (PS3.15 B.13): TLS 1.2 and 1.3, only the recommended suites with forward secrecy and authenticated encryption.</summary>
    Bcp195Modified,

    /// <summary>TLS 1.3 only.</summary>
    Tls13,
}

/// <summary>Whether clients show certificates.</summary>
public enum ClientCertificates
{
    /// <summary>They are not asked.</summary>
    None,

    /// <summary>They may; one that is shown must be valid.</summary>
    Optional,

    /// <summary>They must.</summary>
    Required,
}

/// <summary>TLS of a listening address. The files are read again when they change.</summary>
public sealed record TlsServerOptions
{
    /// <summary>The certificate and its chain, PEM.</summary>
    public required string CertificateFile { get; init; }

    /// <summary>The private key, PEM, not encrypted.</summary>
    public required string KeyFile { get; init; }

    /// <summary>The certificate authorities of clients, PEM; needed when client certificates are asked for.</summary>
    public string? CaFile { get; init; }

    /// <summary>Whether clients show certificates. Default none.</summary>
    public ClientCertificates ClientCertificates { get; init; }

    /// <summary>The profile. Default <see cref="TlsProfile.Bcp195"/>.</summary>
    public TlsProfile Profile { get; init; }
}

/// <summary>TLS towards a peer. The files are read for each connection.</summary>
public sealed record TlsClientOptions
{
    /// <summary>The certificate authorities of the peer, PEM; null trusts those of the system.</summary>
    public string? CaFile { get; init; }

    /// <summary>Our certificate, PEM; null shows none.</summary>
    public string? CertificateFile { get; init; }

    /// <summary>Our private key, PEM, not encrypted.</summary>
    public string? KeyFile { get; init; }

    /// <summary>The name that must stand in the peer's certificate; null takes the host that is connected to.</summary>
    public string? HostName { get; init; }

    /// <summary>Whether the name is checked. Devices often have certificates without one. Default true.</summary>
    public bool CheckHostName { get; init; } = true;

    /// <summary>The profile. Default <see cref="TlsProfile.Bcp195"/>.</summary>
    public TlsProfile Profile { get; init; }
}
