namespace DicomServerless.Dicom;

/// <summary>Puts the elements of a data set and of all its items in ascending order (PS3.5 7.1).</summary>
internal static class DataSetSort
{
    /// <summary>The sorted copy; null, with the tag, where one occurs twice in a data set or item.</summary>
    /// <param name="source">What to sort.</param>
    /// <param name="addUtf8">Whether to add a Specific Character Set of ISO_IR 192 at top level.</param>
    /// <param name="duplicate">The tag that occurs twice.</param>
    public static DataSet? TrySort(DataSet source, bool addUtf8, out Tag duplicate)
    {
        var twice = default(Tag);
        var builder = new DataSetBuilder();
        var open = new Stack<(Queue<DataElement> Elements, Queue<DataSet> Items)>();
        if (Sorted(source, out duplicate) is not { } elements) return null;
        var items = new Queue<DataSet>();
        while (true)
        {
            if (addUtf8 && open.Count == 0 && (elements.Count == 0 || elements.Peek().Tag > Tags.SpecificCharacterSet))
            {
                builder.Add(Tags.SpecificCharacterSet, Vr.CS, "ISO_IR 192"u8);
                addUtf8 = false;
            }
            if (elements.TryDequeue(out var element))
            {
                if (element.IsSequence)
                {
                    builder.BeginSequence(element.Tag);
                    open.Push((elements, items));
                    (elements, items) = (new Queue<DataElement>(), new Queue<DataSet>(element.Items));
                    if (NextItem(first: true)) continue;
                    duplicate = twice;
                    return null;
                }
                if (element.IsBulk) builder.AddBulk(element.Tag, element.Vr, 0, element.ValueLength);
                else builder.Add(element.Tag, element.Vr, element.Value.Span, element.IsBigEndian);
                continue;
            }
            if (open.Count == 0) return builder.Build();
            if (NextItem(first: false)) continue;
            duplicate = twice;
            return null;
        }

        // Goes to the next item of the open sequence, or out of it.
        bool NextItem(bool first)
        {
            if (!first) builder.EndItem();
            if (!items.TryDequeue(out var item))
            {
                builder.EndSequence();
                (elements, items) = open.Pop();
                return true;
            }
            builder.BeginItem();
            if (Sorted(item, out twice) is not { } content) return false;
            elements = content;
            return true;
        }
    }

    private static Queue<DataElement>? Sorted(DataSet set, out Tag duplicate)
    {
        duplicate = default;
        var sorted = set.OrderBy(e => e.Tag.Value).ToList();
        for (var i = 1; i < sorted.Count; i++)
        {
            if (sorted[i].Tag != sorted[i - 1].Tag) continue;
            duplicate = sorted[i].Tag;
            return null;
        }
        return new Queue<DataElement>(sorted);
    }
}
