using System.ComponentModel.DataAnnotations;

namespace DicomServerless.EdgeGateway.Hosting;

/// <summary>How audit messages travel.</summary>
internal enum AuditTransport
{
    /// <summary>A datagram each (RFC 5426).</summary>
    Udp,
    /// <summary>TLS, counted octets (RFC 5425).</summary>
    Tls,
}

/// <summary>Audit messages for an audit record repository (PS3.15 A.5) as syslog (RFC 5424).</summary>
internal sealed class AuditOptions
{
    /// <summary>Whether they are sent. Default false.</summary>
    public bool Enabled { get; set; }

    /// <summary>Name or address of the repository.</summary>
    public string Host { get; set; } = "";

    /// <summary>Its port. Default 0: 514 for UDP, 6514 for TLS.</summary>
    [Range(0, 65_535)] public int Port { get; set; }

    /// <summary>Udp or Tls. Default Tls.</summary>
    public AuditTransport Transport { get; set; } = AuditTransport.Tls;

    /// <summary>TLS: a PEM file with the authorities of its certificate; empty means those of the machine.</summary>
    public string AuthorityPath { get; set; } = "";

    /// <summary>TLS: a PEM file with our certificate, if it asks for one.</summary>
    public string CertificatePath { get; set; } = "";

    /// <summary>TLS: a PEM file with the key of our certificate.</summary>
    public string KeyPath { get; set; } = "";

    /// <summary>TLS: whether the certificate must name <see cref="Host"/>. Default true.</summary>
    public bool CheckHostName { get; set; } = true;

    /// <summary>The Audit Source ID of the messages. Default the machine's name.</summary>
    public string SourceId { get; set; } = "";

    /// <summary>The site (Audit Enterprise Site ID). Default none.</summary>
    public string SiteId { get; set; } = "";

    /// <summary>Whether messages name studies by UID, as the standard wants. Default true. Patients are never named.</summary>
    public bool IncludeStudies { get; set; } = true;

    /// <summary>The port in use.</summary>
    public int EffectivePort => Port > 0 ? Port : Transport == AuditTransport.Udp ? 514 : 6514;

    /// <summary>Everything that is wrong, each with key, value and what to do; empty if nothing is.</summary>
    public IEnumerable<string> Problems(string section)
    {
        if (!Enabled) yield break;
        if (Host.Length == 0)
            yield return $"{section}:Host is missing: give the name or address of the audit record repository, or set {section}:Enabled to false.";
        if (Transport != AuditTransport.Tls) yield break;
        foreach (var (key, path) in new[] { ("AuthorityPath", AuthorityPath), ("CertificatePath", CertificatePath), ("KeyPath", KeyPath) })
            if (path.Length > 0 && !File.Exists(path)) yield return $"{section}:{key} is \"{path}\": there is no such file.";
        if (CertificatePath.Length > 0 != KeyPath.Length > 0) yield return $"{section}: CertificatePath and KeyPath belong together; give both or neither.";
    }
}
