using System.ComponentModel.DataAnnotations;
using DicomServerless.Dicom.Network;

namespace DicomServerless.EdgeGateway.Hosting;

/// <summary>How associations are taken.</summary>
internal sealed class DimseOptions
{
    /// <summary>The address to listen on. Default <c>0.0.0.0</c>: every network of the machine.</summary>
    public string Address { get; set; } = "0.0.0.0";

    /// <summary>The port without TLS; 0 turns it off. Default 11,112.</summary>
    [Range(0, 65_535)] public int Port { get; set; } = 11_112;

    /// <summary>Associations that may be open at once; one more is rejected as over the local limit (PS3.8 9.3.4). Default 100.</summary>
    [Range(1, 10_000)] public int MaxAssociations { get; set; } = 100;

    /// <summary>Associations that one address may have open at once; 0 means as many as there are. Default 0.</summary>
    [Range(0, 10_000)] public int MaxAssociationsPerPeer { get; set; }

    /// <summary>The longest PDU that peers may send. Bytes. Default 262,144.</summary>
    [Range(4_096, 16_777_216)] public int MaxPduLength { get; set; } = 262_144;

    /// <summary>
    /// How long a connection may take to ask for an association, and to close after its end (the ARTIM timer, PS3.8 9.1.5). Seconds. Default 30.
    /// </summary>
    [Range(1, 3_600)] public int ArtimSeconds { get; set; } = 30;

    /// <summary>How long an association may be silent between messages before it is aborted. Seconds. Default 600.</summary>
    [Range(1, 86_400)] public int IdleSeconds { get; set; } = 600;

    /// <summary>How long a message may stand still in the middle before its association is aborted. Seconds. Default 60.</summary>
    [Range(1, 3_600)] public int MessageSeconds { get; set; } = 60;

    /// <summary>Whether a called AE title that no AE has is taken as <see cref="DefaultAe"/>. Default false.</summary>
    public bool AcceptAnyCalledAe { get; set; }

    /// <summary>The name of the AE that stands in for unknown ones. Default the first.</summary>
    public string DefaultAe { get; set; } = "";

    /// <summary>The port with TLS.</summary>
    public DimseTlsOptions Tls { get; set; } = new();
}

/// <summary>TLS for associations (PS3.15 B.9, B.12: the BCP 195 profiles). The files are read again when they change.</summary>
internal sealed class DimseTlsOptions
{
    /// <summary>The port; 0 turns it off. Default 0; the registered one is 2,762.</summary>
    [Range(0, 65_535)] public int Port { get; set; }

    /// <summary>A PEM file with the certificate, followed by those between it and the authority.</summary>
    public string CertificatePath { get; set; } = "";

    /// <summary>A PEM file with its private key.</summary>
    public string KeyPath { get; set; } = "";

    /// <summary>A PEM file with the authorities of the client certificates.</summary>
    public string ClientAuthorityPath { get; set; } = "";

    /// <summary>Whether clients show certificates: None, Optional (one that is shown must be good) or Required. Default None.</summary>
    public ClientCertificates ClientCertificates { get; set; }

    /// <summary>The profile: Bcp195, Bcp195Modified or Tls13 (PS3.15 B). Default Bcp195.</summary>
    public TlsProfile Profile { get; set; }

    /// <summary>Everything that is wrong, each with key, value and what to do; empty if nothing is.</summary>
    public IEnumerable<string> Problems(string section)
    {
        if (Port == 0) yield break;
        if (!File.Exists(CertificatePath))
            yield return $"{section}:CertificatePath is \"{CertificatePath}\": name a PEM file with the certificate that can be read.";
        if (!File.Exists(KeyPath)) yield return $"{section}:KeyPath is \"{KeyPath}\": name a PEM file with the private key that can be read.";
        if (ClientCertificates != ClientCertificates.None && !File.Exists(ClientAuthorityPath))
            yield return $"{section}:ClientAuthorityPath is \"{ClientAuthorityPath}\": client certificates need the PEM file of their authorities.";
    }
}
