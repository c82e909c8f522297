using System.ComponentModel.DataAnnotations;
using System.Net;
using DicomServerless.Dicom;

namespace DicomServerless.EdgeGateway.Hosting;

/// <summary>A local application entity: its name in the configuration is its AE title.</summary>
internal sealed class AeOptions
{
    /// <summary>The callers that are allowed; empty means all. A caller must fit one entry in everything that the entry says.</summary>
    public List<CallerOptions> AllowedCallers { get; set; } = [];

    /// <summary>Whether C-ECHO is offered. Default true.</summary>
    public bool Echo { get; set; } = true;

    /// <summary>Whether C-STORE is offered. Default true.</summary>
    public bool Store { get; set; } = true;

    /// <summary>Whether C-FIND is offered. Default true.</summary>
    public bool Find { get; set; } = true;

    /// <summary>Whether C-MOVE is offered. Default true.</summary>
    public bool Move { get; set; } = true;

    /// <summary>Whether C-GET is offered. Default true.</summary>
    public bool Get { get; set; } = true;

    /// <summary>Whether storage commitment is offered. Default true.</summary>
    public bool Commitment { get; set; } = true;

    /// <summary>The storage SOP classes that are taken, by UID; empty means every one of the standard, the retired ones too.</summary>
    public List<string> SopClasses { get; set; } = [];

    /// <summary>Private storage SOP classes that are taken as well, by UID.</summary>
    public List<string> PrivateSopClasses { get; set; } = [];

    /// <summary>Whether any proposed SOP class that belongs to no service of the gateway is taken for storage. Default false.</summary>
    public bool AnySopClass { get; set; }

    /// <summary>
    /// The transfer syntaxes that are taken for storage, the most wanted first, by UID; empty means every one of the standard in our order. A lossy one is
    /// never chosen where a context offers another.
    /// </summary>
    public List<string> TransferSyntaxes { get; set; } = [];

    /// <summary>Private transfer syntaxes that are taken as well, by UID.</summary>
    public List<string> PrivateTransferSyntaxes { get; set; } = [];

    /// <summary>
    /// What becomes of an object whose SOP Instance UID is there with another content: <c>reject</c>, <c>replace</c>, <c>keep-first</c>; empty leaves it to the
    /// archive.
    /// </summary>
    public string DuplicatePolicy { get; set; } = "";

    /// <summary>
    /// The Specific Character Set (defined term, such as <c>ISO_IR 100</c>) of queries and objects that name none but are not ASCII. Default none: Latin-1, or
    /// UTF-8 where it is that.
    /// </summary>
    public string FallbackCharacterSet { get; set; } = "";

    /// <summary>Where objects go, by name; empty means to every destination.</summary>
    public List<string> Destinations { get; set; } = [];

    /// <summary>The destination that queries and retrieves go to, by name. Default the first of <see cref="Destinations"/>.</summary>
    public string Archive { get; set; } = "";

    /// <summary>Everything that is wrong, each with key, value and what to do; empty if nothing is.</summary>
    public IEnumerable<string> Problems(string section, string aeTitle, ICollection<string> destinations)
    {
        if (FallbackCharacterSet.Length > 0 && !SpecificCharacterSet.IsDefined(FallbackCharacterSet))
            yield return $"{section}:FallbackCharacterSet is \"{FallbackCharacterSet}\": give a defined term of Specific Character Set (PS3.3 C.12.1.1.2), "
                + "such as ISO_IR 100, or remove it.";
        if (aeTitle.Length is 0 or > 16 || aeTitle.Trim() != aeTitle || aeTitle.Any(c => c is < ' ' or > '~' or '\\'))
            yield return $"{section} is not an AE title: use 1 to 16 ASCII characters, without a backslash and without a space at either end (PS3.5 6.2).";
        foreach (var (key, uids) in new[] { ("SopClasses", SopClasses), ("PrivateSopClasses", PrivateSopClasses), ("TransferSyntaxes", TransferSyntaxes),
            ("PrivateTransferSyntaxes", PrivateTransferSyntaxes) })
            foreach (var uid in uids)
                if (!Uid.IsValid(uid)) yield return $"{section}:{key} has \"{uid}\": name UIDs, digits and dots, at most 64 characters.";
        if (DuplicatePolicy is not ("" or "reject" or "replace" or "keep-first"))
            yield return $"{section}:DuplicatePolicy is \"{DuplicatePolicy}\": set it to reject, replace or keep-first, or remove it to leave it to the "
                + "archive.";
        foreach (var name in Destinations.Concat(Archive.Length > 0 ? [Archive] : []).Where(name => !destinations.Contains(name, StringComparer.Ordinal)))
            yield return $"{section} names the destination \"{name}\", which is not in Gateway:Destinations: add it there, or take one of "
                + $"{string.Join(", ", destinations)}, in this spelling.";
        foreach (var name in Destinations.GroupBy(name => name, StringComparer.Ordinal).Where(group => group.Count() > 1).Select(group => group.Key))
            yield return $"{section}:Destinations has \"{name}\" twice: name each destination once.";
        for (var i = 0; i < AllowedCallers.Count; i++)
            foreach (var problem in AllowedCallers[i].Problems($"{section}:AllowedCallers:{i}")) yield return problem;
    }
}

/// <summary>A caller that is allowed. Empty settings are not compared.</summary>
internal sealed class CallerOptions
{
    /// <summary>The calling AE title, exactly.</summary>
    public string AeTitle { get; set; } = "";

    /// <summary>An address, or a network as <c>10.1.0.0/16</c>.</summary>
    public string Network { get; set; } = "";

    /// <summary>The client certificate: its SHA-256 fingerprint (64 hexadecimal digits, colons allowed) or its subject's common name.</summary>
    public string Certificate { get; set; } = "";

    /// <summary>The network, parsed.</summary>
    public IPNetwork? ParsedNetwork => NetworkOf(Network);

    /// <summary>An address or a network; null for anything else.</summary>
    public static IPNetwork? NetworkOf(string text) => IPNetwork.TryParse(text, out var network) ? network
        : IPAddress.TryParse(text, out var address) ? new IPNetwork(address, address.GetAddressBytes().Length * 8) : null;

    /// <summary>Everything that is wrong, each with key, value and what to do; empty if nothing is.</summary>
    public IEnumerable<string> Problems(string section)
    {
        if (AeTitle.Length + Network.Length + Certificate.Length == 0)
            yield return $"{section} says nothing: give AeTitle, Network or Certificate, or remove it.";
        if (Network.Length > 0 && ParsedNetwork is null)
            yield return $"{section}:Network is \"{Network}\": give an address, or a network such as 10.1.0.0/16 whose host bits are zero.";
    }
}

/// <summary>A remote application entity: where C-MOVE sends to and commitment reports go. Its name in the configuration is for people.</summary>
internal sealed class RemoteAeOptions
{
    /// <summary>Its AE title. Default its name.</summary>
    public string AeTitle { get; set; } = "";

    /// <summary>Name or address of its machine.</summary>
    public string Host { get; set; } = "";

    /// <summary>Its port. Default 104.</summary>
    [Range(1, 65_535)] public int Port { get; set; } = 104;

    /// <summary>Whether it is called with TLS. Default false.</summary>
    public bool Tls { get; set; }

    /// <summary>A PEM file with the authorities of its certificate; empty means those of the machine.</summary>
    public string AuthorityPath { get; set; } = "";

    /// <summary>A PEM file with the gateway's certificate, if the peer asks for one.</summary>
    public string CertificatePath { get; set; } = "";

    /// <summary>A PEM file with the key of that certificate.</summary>
    public string KeyPath { get; set; } = "";

    /// <summary>Whether the certificate must name <see cref="Host"/>. Default true.</summary>
    public bool CheckHostName { get; set; } = true;

    /// <summary>The AE title that the gateway calls it with. Default the one that was called when the transfer was asked for.</summary>
    public string CallingAeTitle { get; set; } = "";

    /// <summary>Everything that is wrong, each with key, value and what to do; empty if nothing is.</summary>
    public IEnumerable<string> Problems(string section)
    {
        if (Host.Length == 0) yield return $"{section}:Host is missing: give the name or address of the machine.";
        // PS3.5 6.2: 16 characters of the default repertoire, without backslash and control characters. The name stands for a title that is not given.
        var name = section[(section.LastIndexOf(':') + 1)..];
        foreach (var (key, title) in new[] { ("AeTitle", AeTitle.Length > 0 ? AeTitle : name), ("CallingAeTitle", CallingAeTitle) })
            if (title.Length > 16 || title.Any(c => c is < ' ' or > '~' or '\\') || (title.Length > 0 && title.Trim().Length == 0))
                yield return $"{section}:{key} is \"{title}\": give 1 to 16 ASCII characters without a "
                    + $"backslash{(key == "AeTitle" && AeTitle.Length == 0 ? " (the name counts where no AeTitle is given)" : "")}.";
        foreach (var (key, path) in new[] { ("AuthorityPath", AuthorityPath), ("CertificatePath", CertificatePath), ("KeyPath", KeyPath) })
            if (path.Length > 0 && !File.Exists(path)) yield return $"{section}:{key} is \"{path}\": there is no such file.";
        if (CertificatePath.Length > 0 != KeyPath.Length > 0) yield return $"{section}: CertificatePath and KeyPath belong together; give both or neither.";
    }
}
